"""Claims about lesson 4, and numbers of its text that no output prints."""
# ruff: noqa: F821 (the names are those of the lesson)

with after("print(patients.shape, patients.dtype, patients.device)"):
    assert patients.shape == (2, 3)

with after("second = torch.randn(3, generator=torch.Generator().manual_seed(7))"):
    assert torch.equal(first, second)

with after('print(f"largest relative error {error:.1e}")'):
    assert error < 6e-8

with after('print(f"ink left in the original table: {(flat.sum() / ink_before).item():.1%}")'):
    assert 0.5 < flat.sum() / ink_before < 0.55

with after('print("ink before:", ink_before.item(), " now:", flat.sum().item())'):
    assert flat.sum() == ink_before

with after("wrong = photo.reshape(3, 54, 80)"):
    assert right.shape == wrong.shape
    assert not torch.equal(right, wrong)

with after('for title, mask in {"bmi > 30": heavy, "and age > 50": both}.items():'):
    assert progress[heavy].mean() > progress.mean() + 30
    assert progress[both].mean() > progress[heavy].mean()

with after("given_to_truth = probabilities[torch.arange(len(labels)), labels]"):
    assert abs(loss.item() - log_loss(labels, probabilities)) < 1e-9

with after("means = torch.stack([images[classes == k].mean(dim=0) for k in range(10)])"):
    assert means.shape == (10, 8, 8)

with after("values, places = probabilities.max(dim=1)"):
    assert accuracy == classifier.score(X_digits[1000:], y_digits[1000:])

with after("neighbour = KNeighborsClassifier(n_neighbors=1).fit(centres, range(10))"):
    assert (neighbour.predict(flat) == nearest.numpy()).mean() > 0.999

with after("wrong_loss = ((column_prediction - y) ** 2).mean()"):
    assert wrong_loss > 2 * right_loss
    assert wrong_loss > y.var(correction=0) > right_loss

with after("column_fit = torch.full((331, 1), y.mean().item(), dtype=torch.float64)"):
    assert ((column_fit - y) ** 2).mean() < wrong_loss

with after("largest = correlation.triu(1).abs().argmax().item()"):
    first, second = correlation.triu(1).abs().flatten().topk(2).values
    assert first > second + 0.1
    assert {names[row], names[column]} == {"s1", "s2"}

with after("expected = np.corrcoef(X.numpy(), rowvar=False)"):
    assert abs(correlation[row, column].item() - expected[row, column]) < 1e-9

with after("X_there = X.float().to(device)  # float32: an Apple GPU knows no float64"):
    assert X_there.device.type == device.type

with after("back = (X_there @ w_there).cpu().numpy()"):
    assert np.allclose(back, (X @ w).numpy(), rtol=1e-3, atol=0.1)

with after('print("the same tensor:", X.to("cpu") is X)'):
    assert X.to("cpu") is X
    assert X.to("cpu", copy=True) is not X

with after('ax.set(xlabel="coefficient w of bmi", ylabel="mean squared error")'):
    assert slope_at(0.0)[1] < -50 < 50 < slope_at(85.0)[1]
    assert abs(slope_at(50.0)[1]) < 5

with after('pd.Series(w.grad.numpy(), index=names).round(1).to_frame("slope of the loss").T'):
    steepest = w.grad.abs().sort(descending=True)
    assert [names[place] for place in steepest.indices[:2]] == ["bmi", "s5"]
    assert steepest.values[1] > steepest.values[2] + 10

with after('print(f"by hand:  w {slope_w:.2f}, b {slope_b:.2f}")'):
    assert math.isclose(slope_w, w.grad.item())
    assert math.isclose(slope_b, b.grad.item())

with after("cleared, forgotten = descend(clear=True), descend(clear=False)"):
    assert max(forgotten[30:]) > 1.3 * max(cleared[30:])
    assert min(forgotten[30:]) > max(cleared[30:])
    assert forgotten[:2] == cleared[:2]

with after("before = mse(w).item()"):
    assert w.requires_grad
    assert mse(w).item() < before

with after("copy.zero_()  # meant for a copy …"):
    assert (w == 0).all()

with after("    total_number += loss.item()"):
    assert math.isclose(total.item(), total_number)

with after("push(c)"):
    assert (a.grad, b.grad) == (-1.0, 3.0)

with after("counted_push(doubled)"):
    assert visits == 2**16 - 1

with after("ours = torch.tensor([p.grad for p in parameters], dtype=torch.float64)"):
    assert torch.allclose(ours, theta.grad, rtol=1e-9, atol=1e-9)

with after("w, b, path = fit_linear(X, y, lr=0.2, steps=100)"):
    assert path[-1][0] < 1.0025 * best_loss
    assert w[names.index("s2")] < 0 < regression.coef_[names.index("s2")]

with after('relative = (table["descent"] / table["scikit-learn"] - 1).abs().max()'):
    assert relative < 9e-6
    assert abs(b.item() / regression.intercept_ - 1) < 5e-5

with after("r2 = r2_score(y_new, X_new @ w + b)"):
    assert abs(r2 - regression.score(X_new.numpy(), y_new.numpy())) < 1e-4

with after("excess = losses / best_loss - 1"):
    assert excess[99] < 0.01 < 0.3 < distance[99]

with after("for lr in [0.24, 0.25]:"):
    assert losses[-1] > 1000 * losses[0]
    losses = [loss for loss, _ in fit_linear(X, y, lr=0.24, steps=100)[2]]
    assert losses[-1] < losses[0] / 5

with after("curvature_raw = torch.linalg.eigvalsh(2 / len(raw) * centred.T @ centred)"):
    assert curvature_raw[-1] / curvature_raw[0] > 100 * curvature[-1] / curvature[0]

with after("approximate = difference_gradient(logistic_loss, w.detach(), h=1e-5)"):
    assert (approximate - w.grad).abs().max().item() < 1e-9

with after("steps = np.logspace(-13, 0, 27)"):
    assert best[torch.float64] < 1e-9 < 1e-6 < best[torch.float32]
    assert 1e-7 < steps[np.argmin(errors)] < 1e-4  # the errors of float64
    assert not difference_gradient(logistic_loss, w.detach().float(), steps[0]).any()

with after("two = torch.tensor([0.5, 1.5], dtype=torch.float64, requires_grad=True)"):
    assert torch.autograd.gradcheck(logistic_loss, (w,))
    assert not torch.autograd.gradcheck(Square.apply, (w,), raise_exception=False)
