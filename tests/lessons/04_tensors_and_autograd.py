"""Claims about lesson 4, and numbers of its text that no output prints."""
# ruff: noqa: F821 (the names are those of the lesson)

UNPRINTED = {
    "9.6": "recorded there: 9,636 µs a product on the CPU",
    "0.34": "recorded there: 340 µs a product on the GPU",
    "2,048": "a size of the recorded table",
    "8,192": "a size of the recorded table",
    "2.5": "recorded there: 2,465 µs with TF32",
    "1.4": "recorded there: 1,403 µs in bfloat16",
    "8,000": "steps of the second random start, rounded: asserted below",
    "9,000": "steps of the fifth random start, rounded: asserted below",
}

with after("print(patients.shape, patients.dtype, patients.device)"):
    assert patients.shape == (2, 3)

with after('print("first age after: ", measured[0, 0].round(1))'):
    assert measured[0, 0] == centred[0, 0]
    assert table_train[0, 0] == 35

with after("print((table * weights).dtype)"):
    assert (table * weights).dtype == torch.float64

with after("show_error(lambda: torch.arange(3).add_(0.5))"):
    third = torch.tensor([1 / 3], dtype=torch.float64)
    assert torch.zeros(1).add_(third).dtype == torch.float32
    assert torch.zeros(1).add_(third) != third

with after(
    'print("ink of the hundred, before and after:", flat[:100].sum().item(), spoiled[:100].sum().item())'
):
    assert 0.5 < spoiled[:100].sum() / flat[:100].sum() < 0.55

with after("wrong = photo.reshape(3, 54, 80)"):
    assert right.shape == wrong.shape
    assert not torch.equal(right, wrong)

with after('older = heavy & (table[:, names.index("age")] > 50)'):
    assert progress[heavy].mean() > progress.mean() + 30
    assert progress[older].mean() > progress[heavy].mean()

with after("by_hand = (table - table.mean(dim=0)) / table.std(dim=0, correction=0)"):
    assert torch.allclose(by_hand, by_sklearn)

with after("wrong_loss = ((prediction[:, None] - y) ** 2).mean()"):
    from torch.nn.functional import mse_loss

    assert wrong_loss > 1.5 * y.var(correction=0) > 1.5 * right_loss
    mean_only = torch.full((331, 1), y.mean().item(), dtype=torch.float64)
    assert ((mean_only - y) ** 2).mean() < wrong_loss  # the wrong loss prefers the mean
    assert torch.isclose(mse_loss(prediction, y), right_loss)

with after("means = torch.stack([images[classes == k].mean(dim=0) for k in range(10)])"):
    assert means.shape == (10, 8, 8)

with after("nearest = distances.argmin(dim=1)"):
    assert torch.equal(nearest, torch.cdist(flat, centres).argmin(dim=1))

with after("correlation = X.T @ X / len(X)"):
    first, second = correlation.triu(1).abs().flatten().topk(2).values
    assert first > second + 0.1
    assert abs(correlation[names.index("s1"), names.index("s2")]) == first
    assert np.allclose(correlation, np.corrcoef(X.numpy(), rowvar=False))

with after("back = (X_there @ w_there).cpu().numpy()  # NumPy works on the CPU only"):
    assert X_there.device.type == device.type
    assert np.allclose(back, (X @ w_best).numpy(), rtol=1e-3, atol=0.1)

with after('print("the same tensor:", X.to("cpu") is X)'):
    assert X.to("cpu") is X
    assert X.to("cpu", copy=True) is not X

with after('pd.Series(w.grad.numpy(), index=names).round(1).to_frame("gradient").T'):
    steepest = w.grad.abs().sort(descending=True)
    assert [names[place] for place in steepest.indices[:2]] == ["bmi", "s5"]

with after('print(f"autograd: w {w.grad.item():.2f}, b {b.grad.item():.2f}")'):
    assert np.isclose(grad_w, w.grad.item())
    assert np.isclose(grad_b, b.grad.item())

with after("print(tuple(J.shape), torch.allclose(w.grad, v @ J))"):
    assert torch.allclose(J, rates(w).detach()[:, None] * X[:3])
    assert torch.allclose(w.grad, v @ J)

with after("cleared, forgotten = descend(clear=True), descend(clear=False)"):
    assert max(forgotten[30:]) > 1.3 * max(cleared[30:])
    assert min(forgotten[30:]) > max(cleared[30:])
    assert forgotten[:2] == cleared[:2]

with after("    w -= 0.05 * w.grad"):
    assert w.requires_grad
    assert mse(w).item() < before

with after("    b = X @ w"):
    assert b.is_inference()
    assert not a.is_inference()
    leaf = torch.zeros(len(b), dtype=b.dtype, requires_grad=True)
    (b + leaf).sum().backward()  # a sum saves nothing
    assert leaf.grad.eq(1).all()

with after("backward(c)"):
    assert (a.grad, b.grad) == (-1.0, 3.0)
    long = Scalar(1.0)
    for _ in range(5000):  # deeper than Python's recursion limit
        long = long + long
    assert len(in_order(long)) == 5001

with after("ours = torch.tensor([p.grad for p in parameters], dtype=torch.float64)"):
    assert torch.allclose(ours, theta.grad, rtol=1e-9, atol=1e-9)

with after("w_100, b_100, path = fit_linear(X, y, lr=0.2, steps=100)"):
    assert path[-1][0] < 1.0025 * right_loss
    assert w_100[names.index("s2")] < 0 < regression.coef_[names.index("s2")]

with after('relative = (fits["descent"] / fits["scikit-learn"] - 1).abs().max()'):
    assert relative < 9e-6
    assert abs(b_4000.item() / regression.intercept_ - 1) < 5e-5

with after(
    "    return ((fit_linear(few, y, lr=0.2, steps=100)[0] - best).norm() / best.norm()).item()"
):
    far = {name: distance_without(name) for name in ["nothing", *names]}
    assert far["s1"] < 0.005 < far["s2"] < 0.02 < max(far["s3"], far["s5"]) < 0.18
    assert min(far[name] for name in far if name not in ("s1", "s2", "s3", "s5")) > 0.34

with after("factor = 1 - 0.2 * curvature[0]"):
    assert list(flattest.abs().argsort(descending=True)[:5]) == [s1, s2, s2 + 1, s2 + 3, s2 + 2]
    assert flattest[s1] > 0 > flattest[s2 : s2 + 4].max()

with after("for lr in [0.24, 0.25]:"):
    assert above[-1] > 1000 * above[0]
    above = [loss - right_loss.item() for loss, _ in fit_linear(X, y, lr=0.24, steps=100)[2]]
    assert above[-1] < above[0] / 100

with after("curvature_raw = torch.linalg.eigvalsh(2 / len(table) * unscaled.T @ unscaled)"):
    assert curvature_raw[-1] / curvature_raw[0] > 100 * curvature[-1] / curvature[0]

with after('print(sum(equal), "of", len(equal), "steps are equal")'):
    assert all(equal)
    assert len(equal) == 4000

with after("for momentum in [0.0, 0.9]:"):
    small = torch.zeros(10, dtype=X.dtype, requires_grad=True)
    adam = torch.optim.Adam([small], lr=0.2)
    for _ in range(100):
        adam.zero_grad()
        mse(small).backward()
        adam.step()
    assert small.abs().max() < 1.2 * 100 * 0.2  # a step is about lr long
    assert mse(small) > mse(w_100)

with after("approximate = difference_gradient(logistic_loss, w.detach(), h=1e-5)"):
    assert (approximate - w.grad).abs().max().item() < 1e-9

with after("print(torch.autograd.gradcheck(lambda w: logistic_loss(-w), (w,)))"):
    for outside in [-1.0, 0.0]:  # derivatives of the square root: nan, inf
        x = torch.tensor([1.0, outside], dtype=torch.float64, requires_grad=True)
        value = torch.where(x > 0, x.sqrt(), 0.0).sum()
        (gradient,) = torch.autograd.grad(value, x)
        assert value.item() == 1.0
        assert gradient.isnan().tolist() == [False, True]

        def root(x):
            return torch.where(x > 0, x.sqrt(), 0.0).sum()

        assert not torch.autograd.gradcheck(root, (x,), raise_exception=False)

with after("steps = np.logspace(-13, 0, 27)"):
    best = {name: min(found) for name, found in errors.items()}
    assert best["torch.float64"] < 1e-9 < 1e-6 < best["torch.float32"]
    assert 1e-6 < steps[np.argmin(errors["torch.float64"])] < 1e-4
    assert 1e-3 < steps[np.argmin(errors["torch.float32"])] < 1e-1
    assert best["torch.float64"] < 1e-10 < 1e-6 < best["torch.float32"] < 1e-4
    assert np.allclose(errors["torch.float32"][-3:], errors["torch.float64"][-3:], rtol=0.1)
    assert not difference_gradient(logistic_loss, w.detach().float(), steps[0]).any()

with after("two = torch.tensor([0.5, 1.5], dtype=torch.float64, requires_grad=True)"):
    assert not torch.autograd.gradcheck(Square.apply, (two,), raise_exception=False)

with after("print(torch.allclose(negative_log_likelihood(mean, log_spread, target), theirs))"):
    from scipy.stats import norm

    assert abs(norm.ppf(0.95) - 1.645) < 1e-3
    assert torch.isclose(negative_log_likelihood(mean, log_spread, target), theirs)

with after("cross_validate_band(own_loss, table_train, progress_train)"):
    ours = cross_validate_band(own_loss, table_train, progress_train)
    constant = cross_validate_band(one_spread, table_train, progress_train)
    gap = constant.loc["mean", "low half"] - constant.loc["mean", "high half"]
    assert gap > 0.08
    assert abs(ours.loc["mean"] - 0.9).max() < 0.03

    def unbiased(A, y_A, B):  # n - 11 instead of n
        middle, low, high = one_spread(A, y_A, B)
        factor = (len(A) / (len(A) - 11)) ** 0.5
        return middle, middle + factor * (low - middle), middle + factor * (high - middle)

    shares = cross_validate_band(unbiased, table_train, progress_train).loc["mean"]
    assert shares["low half"] > 0.91 > 0.86 > shares["high half"]

    from sklearn.linear_model import BayesianRidge

    bayes = BayesianRidge().fit(X_train, progress_train)
    sure = bayes.predict(scaler.transform(table_test), return_std=True)[1]
    assert sure.max() < 1.05 * sure.min()

with after("show_error(lambda: fit_own(X_train, progress_train, lr=0.3))"):
    fitted, losses = fit_own(X_train, progress_train)
    assert len(losses) < 2000  # it stopped by itself
    slow = fit_own(X_train, progress_train, lr=0.005)
    assert len(slow[1]) == 2000
    assert slow[0][0][s2] < 0 < fitted[0][s2]

    raw = fit_own(table_train, progress_train, lr=5e-6, steps=3000)[1]  # the guard is silent
    assert raw[1999] > raw[-1] > 2 * losses[-1]

    def pinball(mean, log_spread, target):
        error = target - mean
        return torch.maximum(0.9 * error, -0.1 * error).mean() + 0 * log_spread.sum()

    for lr in [0.05, 50.0]:
        ends = fit_own(X_train, progress_train, lr=lr, steps=500, loss_fn=pinball)[1]
        assert len(ends) == 500
        assert (ends[-1] > ends[0]) == (lr == 50.0)

    def broken(mean, log_spread, target):
        inside = torch.where(target > 100, (target - 100).sqrt(), (target - mean) ** 2)
        return inside.mean() + 0 * (
            log_spread.sum() + torch.where(mean > 1e9, mean.sqrt(), 0).sum()
        )

    try:
        fit_own(X_train, progress_train, loss_fn=broken)
    except RuntimeError as error:
        assert "gradient not finite" in str(error)
    else:
        raise AssertionError("a nan in the gradient was accepted")
    assert sum(each.numel() for each in fitted[:4]) == 13
    try:
        fit_own(table_train, progress_train)  # columns that are not standardised
    except RuntimeError as error:
        assert "not finite" in str(error)
    else:
        raise AssertionError("raw columns were accepted")

with after("optimizer.step(closure)"):
    assert closure().item() < fit_own(X_train, progress_train)[1][-1] + 1e-7
    assert optimizer.state[w]["func_evals"] < 30
    for seed, arrived in [(1, 8000), (4, 9000)]:
        torch.manual_seed(seed)
        far = fit_own(X_train, progress_train, lr=0.005, start=1.0, steps=12_000)[1]
        assert abs(len(far) - arrived) < 500
        assert abs(far[-1] - closure().item()) < 1e-6

with after(
    '    print(f"{train.__name__:10} inside {inside}, RMSE {rmse:.1f}, {(low < 0).sum()} edges below 0")'
):
    assert len(progress_test) == 111
    middle, low, high = bands["own_loss"]
    width = (high - low) / 2
    assert 105 < np.interp(230, np.sort(middle), np.sort(width)) < 115
    assert 67 < np.interp(100, np.sort(middle), np.sort(width)) < 75
    middle, low, high = bands["one_spread"]
    assert round((high - middle)[0]) == 87
