"""Claims about the results of lesson 8."""
# ruff: noqa: F821 (the names are those of the lesson)

UNPRINTED = {"1.3": "millions of photos in ImageNet"}

with after("model.fc = nn.Linear(model.fc.in_features, 2)"):
    assert count_trainable(model) == 2 * 512 + 2

with after('    print(name, best_guess(photos["cat"], wrong), best_guess(photos["cup"], wrong))'):
    guesses = [best_guess(photo, transform) for photo in photos.values()]
    assert "cat" in guesses[0][0] and guesses[1][0] == "espresso" and guesses[1][1] > 0.9
    assert best_guess(photos["cup"], not_normalised)[1] < guesses[1][1]
    assert "cat" not in best_guess(photos["cat"], not_scaled)[0]
    assert best_guess(photos["cup"], not_scaled)[0] != "espresso"

with after("folder_data = datasets.ImageFolder(folder.name, transform=augment)"):
    assert folder_data.classes == sorted(cells.target_names)
    assert len(folder_data) == 24

with after("folding = StratifiedGroupKFold(5, shuffle=True, random_state=0)"):
    assert sure.sum() == 2223
    assert sorted(np.concatenate(folds)) == list(range(2624))
    for k, rows in enumerate(folds):
        others = np.concatenate(folds[:k] + folds[k + 1 :])
        assert not set(block[rows]) & set(block[others])

with after("SPLITS = range(3)"):
    for split in SPLITS:
        parts = [set(block[rows_of(split, part)]) for part in ("train", "valid", "test")]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
        assert all(sure[rows_of(split, part)].all() for part in ("train", "valid", "test"))

with after("print(low.shape, features.shape, torch.allclose(features[:64], few, atol=1e-3))"):
    assert torch.allclose(features[:64], few, atol=1e-3)

with after(
    'mean = pd.DataFrame(tried).pivot_table(index="input", columns="C", values="score", sort=False)'
):
    if [len(rows_of(k, "test")) for k in range(3)] == [423, 475, 447]:  # scikit-learn's folds here
        assert mean.loc["frozen features", 0.01] > 0.04 + max(
            mean.loc["pixels", 0.01], mean.loc["random network", 0.01]
        )
        assert (mean[0.01] > mean.max(axis=1) - 0.02).all()

with after('print(leak.agg(["mean", "std"]).unstack().round(3).to_string())'):
    if [len(rows_of(k, "test")) for k in range(3)] == [423, 475, 447]:  # scikit-learn's folds here
        where = leak.mean().unstack()
        assert (where["same"] > where["other"] + 0.01).all()

with after('print(f"features changed by {100 * change:.0f} %")'):
    assert 0.3 < change < 0.6

with after("print(table.assign(mean=table.mean(axis=1)).round(2).to_string())"):
    if [len(rows_of(k, "test")) for k in range(3)] == [423, 475, 447]:  # scikit-learn's folds here
        by_rates = table.mean(axis=1)
        assert by_rates["bold_rate"] < by_rates["small_rate"] - 0.03
        assert abs(by_rates["discriminative"] - by_rates["small_rate"]) < 0.03

with after("summary = table.assign(mean=table.mean(axis=1), std=table.std(axis=1))"):
    if [len(rows_of(k, "test")) for k in range(3)] == [423, 475, 447]:  # scikit-learn's folds here
        score_of = table.mean(axis=1)
        assert score_of["fine-tuned"] > score_of["frozen features"] + 0.01
        assert score_of["frozen features"] > 0.04 + max(score_of[["pixels", "random network"]])

with after(
    'mean = results.pivot_table(index="method", columns="labels", values="test").loc[list(methods)]'
):
    if [len(rows_of(k, "test")) for k in range(3)] == [423, 475, 447]:  # scikit-learn's folds here
        assert (mean.loc["fine-tuned"] > mean.loc["from scratch"] + 0.03).all()
        assert (mean.loc["fine-tuned"] > mean.loc["pixels"] + 0.03).all()
        assert (results["doubtful"] < 0.75).all()

with after('fig.colorbar(drawn, ax=axes[1], label="drop in probability")'):
    if [len(rows_of(k, "test")) for k in range(3)] == [423, 475, 447]:  # scikit-learn's folds here
        found_defect = maps[0]
        assert p[0, 1] > 0.6 and p[1, 1] < 0.2 and p[2, 1] > 0.8
        rows_of_map, columns_of_map = np.unravel_index(found_defect.argmax(), found_defect.shape)
        assert rows_of_map > 3 and columns_of_map < 3  # where the crack is

with after('print(pd.DataFrame(found).agg(["mean", "std"]).T.round(2).to_string())'):
    right = pd.DataFrame(found)
    assert right["fine-tuned"].mean() > right["pixels"].mean() + 0.005
    assert (right["pixels"] > right["frozen features"] + 0.05).all()

with after("print(same, torch.equal(one[0], X[row]))"):
    assert same and torch.equal(one[0], X[row])
