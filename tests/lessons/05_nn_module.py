"""Claims about lesson 5."""

UNPRINTED = {
    "2,000": "the surnames in each training part, 3,200 less twice 600, asserted below",
    "2,600": "the surnames in all training parts together, 3,200 less 600",
    "6,000": "the limit that exercise 5.8 sets",
    "95": "the interval's level, for which 1.96 stands in the code",
}

with after('print(f"{baseline_accuracy:.3f}")'):
    assert 0.94 < baseline_accuracy < 0.99

with after("for hidden in (Hidden(layers), Hidden(nn.ModuleList(layers))):"):
    assert Hidden(layers)(X_train).shape == (1000, 10)
    assert not list(Hidden(layers).parameters())

with after('_ = axes[0].set_ylabel("output and derivative")'):
    steepest = {
        name: torch.autograd.grad(activations[name](x).sum(), x)[0].max().item()
        for name in activations
    }
    assert abs(steepest["sigmoid"] - 0.25) < 1e-3
    assert abs(steepest["tanh"] - 1) < 1e-3
    assert steepest["ReLU"] == 1

with after('print({name: f"{rise:.2f} times" for name, rise in rises.items()})'):
    assert rises["MSE"] > 2
    assert max(rises["L1"], rises["Huber"]) < 1.1

with after("print(dropped.unique())"):
    assert abs(dropped.mean() - 1) < 0.1
    assert abs((dropped == 0).float().mean() - 0.5) < 0.05

with after("moved = (norm.running_mean - before).abs().max()"):
    assert not norm.training
    assert torch.equal(before, norm.running_mean)
    in_training = copy.deepcopy(norm).train()
    in_training(X_valid.flatten(1))
    assert not torch.equal(in_training.running_mean, norm.running_mean)

with after('print("the first order again:", again == first_epoch)'):
    assert again == first_epoch != second_epoch

with after("loss_by_hand.append(train_one_epoch(model, train_loader, loss_fn, optimizer))"):
    assert valid_accuracy > 0.92
    assert loss_by_hand[0] > 1 > 0.1 > loss_by_hand[-1]

with after("curve.loc[[1, 5, 15]].round(2)"):
    assert 15 < len(curve) < 60
    assert parts["scheduler"].get_last_lr()[0] > 0.001
    assert curve["valid_loss"].iloc[-5:].min() > curve["valid_loss"].min()
    assert measure(parts["model"], valid_loader, loss_fn)[0] == curve["valid_loss"].min()

with after('print("bit-identical:", torch.equal(whole, resumed))'):
    assert device.type != "cpu" or torch.equal(whole, resumed)
    files = [torch.load(Path(folder.name) / f"{n}.pt", weights_only=True) for n in ("six", "three")]
    assert [file["run"]["best_epoch"] for file in files] == [6, 6]
    assert files[0]["run"]["history"] == files[1]["run"]["history"]
    assert all(
        torch.equal(files[0]["random"][n], files[1]["random"][n]) for n in files[0]["random"]
    )
    assert not torch.equal(whole, weights_after(Path(folder.name) / "other.pt", 5))
    clipped = make_parts()
    run_epoch(clipped, shuffled_batches(), max_norm=1e-3)
    unclipped = make_parts()
    run_epoch(unclipped, shuffled_batches(), max_norm=1e9)
    assert not torch.equal(clipped["model"][1].weight, unclipped["model"][1].weight)
    norms = [p.grad.norm() ** 2 for p in clipped["model"].parameters()]
    assert sum(norms) ** 0.5 < 1.01e-3

with after('by_hand, by_fit = parts["model"].state_dict(), fitted["model"].state_dict()'):
    assert device.type != "cpu" or all(torch.equal(by_hand[name], by_fit[name]) for name in by_hand)
    assert len(history) == len(curve)
    assert np.allclose(history["train_loss"], curve["train_loss"], rtol=0, atol=1e-6)
    assert np.allclose(history["valid_loss"], curve["valid_loss"], rtol=0, atol=1e-6)

with after("A_valid, B_valid, same_valid = make_pairs(X_valid, y_valid, 2000, seed=1)"):
    for A, B in ((A_train, B_train), (A_valid, B_valid)):
        assert not (A == B).flatten(1).all(dim=1).any()

with after('print(f"two inputs:  {np.mean(scores):.2f} ± {np.std(scores):.2f} over five seeds")'):
    assert (by_label == same_valid.numpy()).mean() > 0.93 > max(scores) >= min(scores) > 0.88
    assert logistic_score(lambda A, B: torch.hstack([A.flatten(1), B.flatten(1)])) < 0.55
    assert 0.78 < logistic_score(lambda A, B: (A - B).abs().flatten(1)) < 0.87

with after('print(f"accuracy {worst:.1f} to {best:.1f}")'):
    assert max(start_and_end(nn.ReLU, None, seed)[1] for seed in range(5)) < 0.15
    unbiased = [start_and_end(nn.ReLU, lambda weight: weight, seed) for seed in range(5)]
    assert all(size < 0.002 and accuracy < 0.15 for size, accuracy in unbiased)
    kaiming = [start_and_end(nn.ReLU, nn.init.kaiming_normal_, seed) for seed in range(5)]
    assert min(accuracy for _, accuracy in kaiming) > 0.6
    assert all(0.2 < size < 1 for size, _ in kaiming)

with after("def accuracy(model, X, y):"):
    assert abs(accuracy(model, X_valid, y_valid) - baseline_accuracy) < 0.04

with after("curves.loc[[1, 5, 15]].round(2)"):
    assert curves.loc[5, ["momentum", "AdamW"]].max() < 0.2 * curves.loc[5, "SGD"]

with after("steps_needed[name] = int(len(near) - near.flip(0).int().cumprod(0).sum())"):
    assert max(steps_needed.values()) < 60
    assert steps_needed["SGD, lr 2.2"] > 1.3 * steps_needed["Adam, lr 0.2"]
    assert all((walks[name][n] - best).norm() > 0.3 for name, n in steps_needed.items())

with after("adamw = after_one_step(torch.optim.AdamW, weight_decay)"):
    for strength in (0.1, 1.0):
        assert abs(after_one_step(torch.optim.AdamW, strength) - (1 - 0.01 * strength)) < 1e-6
        assert abs(after_one_step(torch.optim.Adam, strength) - 0.99) < 1e-6

with after('sweep.drop(columns="100").loc[[1, 15]].round(2)'):
    first, last = sweep.iloc[0], sweep.iloc[-1]
    assert last["1"] < 0.15 < last["0.1"] < 0.8
    assert last["0.001"] > 2.2 and last["0.01"] > 2.1
    assert 2.2 < last["5"] < 2.4
    assert first["100"] > 1000 > 100 > last["100"] > 12

with after("alive = {lr: share_alive(lr) for lr in (1.0, 5.0)}"):
    assert alive[5.0] < 0.1 and alive[1.0] > 0.7

with after("dense = nn.Linear(64, 8 * 64)"):
    assert conv(few).flatten(1).shape == dense(few.flatten(1)).shape

with after('for name, layer in {"without": wrong, "with": right}.items():'):
    assert not torch.equal(wrong(few[:, 0])[0][1:], wrong(changed)[0][1:])
    assert torch.equal(right(few[:, 0])[0][1:], right(changed)[0][1:])

with after("comparison.round(2)"):
    assert (comparison["as they are", "mean"] > 0.9).all()
    assert all(row["as they are"] > 0.9 for row in rows[::5])
    others = comparison["shifted"].drop("convolutional")
    assert comparison.loc["convolutional", ("shifted", "min")] > others["max"].max()

with after('surname_table = surname_table.groupby("language").sample(320, random_state=0)'):
    assert not surname_table["name"].duplicated().any()
    assert (surname_table["language"].value_counts() == 320).all()
    assert surname_table.groupby("language")["label"].nunique().eq(1).all()
    assert {"jakovlev", "baranov"} <= lists["et"]
    assert surname_table["name"].str.len().max() <= 16

with after("splits = [split_off_600(names_rest, seed) for seed in range(5)]"):
    assert all((len(part), len(valid)) == (2000, 600) for part, valid in splits)
    assert not any(set(part["name"]) & set(valid["name"]) for part, valid in splits)
    assert not set(names_rest["name"]) & set(names_test["name"])

with after('text_scores["GRU"] = [name_score(LetterReader, seed) for seed in range(5)]'):
    assert (text_scores["n-grams to 4"] > text_scores["GRU"] + 0.02).all()
    assert (text_scores["GRU"] > 0.58).all()
    assert (text_scores["n-grams to 2"] > text_scores["n-grams to 1"]).all()

with after("picked = states[torch.arange(2), (X > 0).sum(dim=1) - 1]"):
    assert not torch.allclose(reader.output(states[:, -1]), reader(X), atol=1e-3)
    torch.manual_seed(0)
    both = nn.GRU(32, 8, batch_first=True, bidirectional=True)
    short, long = (both(reader.letters(encode(["ruiz"], width)))[0][0, 3] for width in (4, 16))
    assert torch.allclose(short[:8], long[:8], atol=1e-6)
    assert not torch.allclose(short[8:], long[8:], atol=1e-3)

with after("output, _ = attention(E, E, E, key_padding_mask=X == 0)"):
    assert (weights[0, :, 4:] == 0).all()
    assert torch.allclose(weights.sum(dim=2), torch.ones(2, 16))

with after('text_scores["attention"] = [name_score(LetterAttention, seed) for seed in range(5)]'):
    assert (text_scores["n-grams to 4"] > text_scores["attention"] + 0.05).all()
    assert (text_scores["attention"] > text_scores["attention, no positions"] + 0.02).all()
    assert (text_scores["GRU"] > text_scores["attention"]).all()
    torch.manual_seed(0)
    with_places = LetterAttention().eval()
    one, other = with_places(encode(["lehmann"])), with_places(encode(["nnamhel"]))
    assert not torch.allclose(one, other, atol=1e-3)

with after("def few_images(n, seed):"):
    assert (few_images(100, seed=0)[1] != y_train[:100]).sum() == 20

with after("_, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)"):
    too_small, too_large = histories.values()
    assert too_large["valid_loss"].iloc[-1] > 1.3 * too_large["valid_loss"].min()
    assert too_small["train_loss"].iloc[-1] > 1.8
    assert accuracy(model, X_few[wrong], y_few[wrong]) == 1

with after('summary = by_remedy.agg(["mean", "std"])'):
    means = results.drop(columns="remedy").groupby(results["remedy"], sort=False).mean()
    remedied = means.drop("nothing")
    assert (remedied["loss"] < 0.85 * means.loc["nothing", "loss"]).all()
    assert (remedied["accuracy"] > means.loc["nothing", "accuracy"] + 0.02).all()
    assert means["accuracy"].idxmax() == "more data"
    assert means.loc["more data", "accuracy"] > 0.9
    assert means.loc["nothing", "wrong learned"] == 1
    assert means.loc["more data", "wrong learned"] < 0.1
    assert (remedied["wrong learned"] < 0.95).all()
    assert 0.78 < means.loc["dropout", "accuracy"] < 0.86

with after("longer = study(n=1000, seed=seed)"):
    assert longer["accuracy"] < 0.9
    assert longer["wrong learned"] > 0.85

with after('ends = runs[runs["epoch"].isin([1, 10])].groupby(["epoch", "loop"])["valid accuracy"]'):
    assert ends.min()[10, "right"] > 0.9 > 0.87 > ends.max()[10, "softmax first"]
    assert ends.max()[10, "no zero_grad"] < 0.75
    assert ends.mean()[1, "no zero_grad"] > ends.mean()[1, "right"]

with after("perfect = F.one_hot(torch.tensor([3]), 10).float()"):
    assert abs(loss_fn(perfect, torch.tensor([3])).item() - np.log(1 + 9 / np.e)) < 1e-5
    assert runs.loc[runs["loop"] == "softmax first", "loss"].min() > 1.46

with after("normalised = train_with(nn.BatchNorm1d(64))"):
    assert right > 0.92 and forgotten < 0.4

with after("in_mixed_batches = share_right(normalised.train(), mixed)"):
    assert forgotten + 0.3 < in_mixed_batches < right

with after("thinned = train_with(nn.Dropout(0.5))"):
    assert right > 0.9
    assert min(forgotten) < max(forgotten) < right - 0.01

with after("report = again.load_state_dict(prefixed, strict=False)"):
    assert accuracy(again, X_valid, y_valid) < 0.4

with after("test_accuracy = accuracy(chosen, X_test, y_test)"):
    assert 0.93 < test_accuracy < 0.985
    assert 0.66 < names_accuracy < 0.78

with after('save_file(chosen.state_dict(), tensors_path, metadata={"pixels": "0 to 1"})'):
    assert np.array_equal(predict(again, X_valid), predict(chosen, X_valid))
