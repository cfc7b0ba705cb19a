"""Claims about lesson 9, and numbers of its text that no output prints."""
# ruff: noqa: F821 (the names are those of the lesson)

UNPRINTED = {"50,000": "the limit that the data set's label `>50K` stands for"}

with after('print(f"AUC {auc:.3f}")'):
    assert auc > 0.88

with after('print(f"other answers: {flips:.1%} of the rows")'):
    assert flips > 0.01

with after("worst = export.check_parity(model, from_trace, A_test, atol=1e-5)"):
    assert worst <= 1e-5

with after("for name, difference in differences.items():"):
    assert differences["scripted"].max() < 1e-5
    assert differences["traced"].max() > 0.1
    assert (differences["traced"] > 0.01).mean() > 0.01

with after(
    "tracer_warning, *_ = [w for w in said if issubclass(w.category, torch.jit.TracerWarning)]"
):
    assert "clamp" in scripted.code
    assert "clamp" not in traced.code

with after("message = str(error)"):
    assert "batch size" in message
    ordinary_rows = A_test[A_test.max(axis=1) < 3]
    assert export.check_parity(guarded, traced, ordinary_rows) <= 1e-5

with after("always = AlwaysGuarded(model).eval()"):
    assert not any(issubclass(w.category, torch.jit.TracerWarning) for w in said)
    assert export.check_parity(guarded, traced, A_test) <= 1e-5
    assert torch.export.export(always, (ordinary,)).graph

# The trap after it: a trace in training mode keeps its dropout, whatever it is told later.
with after('print("worst difference", export.check_parity(guarded, traced, A_test))'):
    ones = torch.ones(1, 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = torch.jit.trace(nn.Dropout(0.5).train(), ones, check_trace=False).eval()
    assert not torch.equal(kept(ones), ones)

with after('print("worst difference", export.check_parity(model, frozen, A_test))'):
    assert export.check_parity(model, frozen, A_test) <= 1e-5

with after("refusal = str(error).splitlines()[0]"):
    assert "data-dependent" in refusal

with after('print("worst difference", export.check_parity(model, from_export, A_test))'):
    assert export.check_parity(model, from_export, A_test) <= 1e-5

with after("refusal = str(error).replace(str(hostile_file), hostile_file.name)"):
    assert "is not safe" in refusal
    assert "it holds the expression" in refusal

with after("worst_onnx = export.check_parity(model, from_onnx, A_test, atol=1e-5)"):
    assert worst_onnx <= 1e-5

with after("parity = pd.DataFrame("):
    assert (parity["real"] <= 1e-5).all()
    assert (parity["random"] <= 1e-4).all()
    assert set(parity.index) == set(loaders)

with after("speeds.round(3)"):
    assert speeds["size (kB)"].drop("compiled.pt2", errors="ignore").between(20, 200).all()
    assert (speeds["size (kB)"] > 4 * n_weights / 1000).all()

with after("found = export.predict_rows(table_model, X_test)"):
    assert np.abs(found - expected).max() <= 1e-5

with after("found = export.predict_rows(table_model, strange)"):
    assert np.abs(found - expected).max() <= 1e-5
    assert strange["age"].isna().mean() > 0.09

with after("print(f\"{(folder / 'census.zip').stat().st_size / 1000:.1f} kB\")"):
    assert (folder / "census.zip").stat().st_size < 100_000

with after('status, text = ask("/predict", {"rows": [as_row(0), as_row(1, age=None), as_row(2)]})'):
    assert status == 200

with after('answers = {name: ask("/predict", body) for name, body in bad_requests.items()}'):
    assert all(400 <= status < 500 for status, _ in answers.values())
    assert not any("Traceback" in text for _, text in answers.values())

with after('status, page = ask("/")'):
    assert ask("/health")[0] == 200

with after("thread.join(timeout=30)"):
    assert not thread.is_alive()

with after("monthly_cost(300, 100, price_an_hour=1.00)"):
    assert monthly_cost(10, 100, 1.0) == (2, 1460.0)
    assert monthly_cost(300, 100, 1.0)[0] == 5
