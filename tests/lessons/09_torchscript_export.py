"""Claims about lesson 9, and numbers of its text that no output prints."""
# ruff: noqa: F821 (the names are those of the lesson)

UNPRINTED = {
    "50,000": "the limit that the data set's label `>50K` stands for",
}

with after("logits = predict(model, A_valid)"):
    assert roc_auc_score(y_valid, logits[:, 1] - logits[:, 0]) > 0.88

with after('print(f"other answers: {flips:.1%} of the rows")'):
    assert flips > 0.01

with after('loaded = torch.jit.load(folder / "traced.pt")'):
    assert difference.max() <= 1e-5
    assert len(caught) >= 2
    for name in ("torch.jit.trace`", "torch.jit.script`"):
        assert any(name in str(each.message) for each in caught)

with after("frozen = torch.jit.freeze(scripted.eval())"):
    assert len(list(frozen.parameters())) == 0 < len(list(scripted.parameters()))
    assert export.check_parity(model, frozen, A_valid) <= 1e-5

# The trap before it: a trace in training mode keeps its dropout, whatever it is told later.
with after("torch.jit.freeze(torch.jit.script(nn.Dropout(0.5).train()))"):
    ones = torch.ones(1, 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = torch.jit.trace(nn.Dropout(0.5).train(), ones, check_trace=False).eval()
    assert not torch.equal(kept(ones), ones)

with after("for ax, (name, difference) in zip(axes, differences.items(), strict=True):"):
    assert differences["scripted"].max() < 1e-5
    assert differences["traced"].max() > 0.1
    assert (differences["traced"] > 0.01).mean() > 0.01

with after("print(scripted.code)"):
    assert "clamp" in scripted.code
    assert "clamp" not in traced.code

with after("export.check_parity(guarded, traced, A_valid)"):
    ordinary_rows = A_valid[A_valid.max(axis=1) < 3]
    assert export.check_parity(guarded, traced, ordinary_rows) <= 1e-5

with after("always = AlwaysGuarded(model).eval()"):
    assert export.check_parity(guarded, traced, A_valid) <= 1e-5
    assert torch.export.export(always, (ordinary,)).graph

with after('print("worst difference", export.check_parity(guarded, with_cond.module(), A_valid))'):
    assert export.check_parity(guarded, with_cond.module(), A_valid) <= 1e-5

with after('from_export = torch.export.load(folder / "exported.pt2").module()'):
    assert export.check_parity(model, from_export, A_valid) <= 1e-5
    said_by_pytorch = " ".join(torch.export.load.__doc__.split())
    assert "Never load data from an untrusted source" in said_by_pytorch
    assert "saved files may not be usable in newer versions of PyTorch" in said_by_pytorch
    assert "untrusted source" in torch.load.__doc__
    assert "untrusted" in torch.jit.load.__doc__

with after('from_onnx = session.run(["logits"], {"features": A_valid})[0]'):
    assert np.abs(from_onnx - logits).max() <= 1e-5
    opsets = {
        each.domain: each.version
        for each in __import__("onnx").load(folder / "model.onnx").opset_import
    }
    assert opsets[""] == 20

with after("flips = (int8.argmax(1) != logits.argmax(1)).mean()"):
    assert flips < 0.02
    assert (folder / "int8.onnx").stat().st_size < 0.5 * (folder / "model.onnx").stat().st_size

with after('speeds = compare(model, "small")'):
    sizes = speeds["kB"].dropna()
    assert (sizes.drop("compiled.pt2", errors="ignore") < 200).all()
    assert "small.onnx" in sizes.index

with after('compare(large, "large").round(3)'):
    ratio = (folder / "large-int8.onnx").stat().st_size / (folder / "large.onnx").stat().st_size
    assert 0.2 < ratio < 0.3
    assert export.check_parity(large, export.load_onnx(folder / "large.onnx"), A_valid) <= 1e-5

with after('print("same features:", np.abs(same).max() <= 1e-6)'):
    assert np.abs(same).max() <= 1e-6

with after("[found] = session.run(None, to_inputs(strange))"):
    with torch.inference_mode():
        truth = torch.softmax(
            model(torch.from_numpy(preprocess.transform(strange).astype("float32"))), dim=1
        ).numpy()
    assert np.abs(found - truth).max() <= 1e-5
    assert strange["age"].isna().mean() > 0.09
    assert not whole.functions

with after("differs = (found != nan_category.transform(X_valid)).any(axis=1)"):
    assert (X_valid[categories].isna().any(axis=1) == differs).all()
    assert differs.any()

with after("table_model = load_table_model(census_file)"):
    with torch.inference_mode():
        truth = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    assert np.abs(predict_rows(table_model, X_valid) - truth).max() <= 1e-5
    assert census_file.stat().st_size < 100_000

with after('for name, value in {"age": "forty", "hours_per_week": 1e30, "sex": 5}.items():'):
    statuses = [
        client.post("/predict", json={"rows": [row | {name: value}]}).status_code
        for name, value in {"age": "forty", "hours_per_week": 1e30, "sex": 5}.items()
    ]
    assert statuses == [500, 200, 200]

with after("for name, body in bad_requests.items():"):
    for body in bad_requests.values():
        status, text = ask("/predict", body)
        assert 400 <= status < 500
        assert "Traceback" not in text
    assert ask("/ready")[0] == 200

with after("loads = pd.DataFrame(loads).round(1)"):
    assert (loads["p50"] <= loads["p99"]).all()
    assert np.isfinite(loads).all(axis=None)

with after(
    "def monthly_cost(peak_a_second, answers_a_second, price_an_hour, share=0.6, hours=730):"
):
    assert monthly_cost(10, 100, 1.0) == (2, 1460.0)
    assert monthly_cost(300, 100, 1.0)[0] == 5

with after("print(process.stdout.read().strip())"):
    assert process.returncode == 0

with after("drift.round(2)"):
    columns_only = drift.drop("mean probability")
    assert columns_only["unchanged"].max() < 0.02
    assert columns_only["minutes"].idxmax() == "hours-per-week"
    assert columns_only["under 30"].idxmax() == "age"
    assert columns_only["200 rows"].max() > 5 * columns_only["unchanged"].max()
