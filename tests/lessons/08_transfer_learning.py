"""Claims about the results of lesson 8."""
# ruff: noqa: F821 (the names are those of the lesson)

with after("costs.round(2)"):
    giga, mega = costs["multiply-adds (G)"], costs["parameters (M)"]
    assert giga["vgg16"] > 30 * giga["efficientnet_lite0"]
    assert giga["efficientnet_lite0"] == giga.min()
    assert mega["efficientnet_lite0"] == mega.min()

with after('    print(f"{name}: {label}, with probability {probability:.3f}")'):
    assert "cat" in seen["cat"][0] and seen["cup"][0] == "espresso"
    assert seen["cup"][1] > 0.9 and 0.3 < seen["cat"][1] < 0.5

with after('print(f"prepared pixels run from {right.min():.1f} to {right.max():.1f}")'):
    assert -1 <= right.min() < -0.9 and 0.9 < right.max() <= 1

with after('print(pd.DataFrame(balanced).agg(["mean", "std"]).round(3).T.to_string())'):
    pretrained, pixels, untrained = (
        balanced[name].mean() for name in ("pretrained network", "pixels", "random network")
    )
    assert FULL or pretrained > untrained + 0.03
    assert FULL or pretrained > pixels + 0.02 > untrained + 0.03

with after('print(pd.DataFrame(grouped).agg(["mean", "std"]).round(3).T.to_string())'):
    for name in ("pretrained network", "pixels", "random network"):
        assert FULL or grouped[name].mean() < balanced[name].mean() - 0.01
    for name in ("pretrained network", "pixels"):
        assert FULL or grouped[name].std() > 2 * balanced[name].std()
    assert FULL or grouped["pretrained network"].mean() > 0.05 + max(
        grouped["pixels"].mean(), grouped["random network"].mean()
    )
    for train, test in by_block.split(features, y, block):
        assert not set(block[train]) & set(block[test])

with after('print(f"features changed by {100 * change:.1f} %")'):
    assert change > 0.05
    assert FULL or change > 0.5  # by more than half of their size

with after('rates = pd.Series({group["name"]: group["lr"] for group in groups})'):
    assert rates["stem"] < 0.01 * rates["top"]
    assert (rates.iloc[1:].diff().dropna() < 0).all()

with after("by_split.loc[pretrained].round(2)"):
    average = table.mean()
    score = average["balanced accuracy"]
    best = score.drop("from scratch").max()
    assert FULL or best > score["from scratch"] + 0.02  # the best pretrained method leads
    assert FULL or best - score["frozen + new head"] < 0.06  # frozen is enough for few labels
    assert FULL or score["frozen + new head"] > score["frozen + logistic regression"] + 0.02
    assert FULL or average["F1"].idxmax() == "frozen + new head"
    assert FULL or average["accuracy"]["discriminative"] > average["accuracy"]["frozen + new head"]
    pretrained = by_split["balanced accuracy"].drop(index="from scratch")
    assert FULL or pretrained.loc["discriminative"].max() == pretrained.max(axis=None)
    assert FULL or pretrained.loc["discriminative"].min() == pretrained.min(axis=None)

with after('print(f"balanced accuracy {too_fast:.2f}")'):
    best = table.mean()["balanced accuracy"].drop("from scratch").max()
    assert FULL or too_fast < best - 0.05

with after(
    'frozen, pixels = rows["frozen + logistic regression"], rows["pixels + logistic regression"]'
):
    means = rows.groupby(["method", "labels"]).mean().round(2).unstack(0)
    few_frozen = means.loc[400, "frozen + logistic regression"]
    assert FULL or few_frozen > means.loc[1600, "pixels + logistic regression"]
    lead = frozen[400] - pixels[1600]
    assert FULL or (lead.mean() > 0.01 and (lead < 0).sum() == 2)
    gap = frozen.groupby("labels").mean() - pixels.groupby("labels").mean()
    assert FULL or (gap[50] < 0.02 < gap[100] and gap[50] < frozen[50].std())
    for method in (frozen, pixels):
        mean = method.groupby("labels").mean()
        assert FULL or (mean.diff().dropna() > 0).all()  # still rising at the right end

with after('trained = pd.concat(networks).groupby(["method", "labels"])["accuracy"]'):
    reached = trained.mean().unstack()
    assert FULL or abs(reached.loc["from scratch", 50] - dummy["accuracy"]) < 0.03
    assert FULL or (reached.loc["fine-tuned"] > reached.loc["from scratch"]).all()
    few_frozen = frozen[50].mean(), (results["accuracy"][results["method"] == methods[0]]).mean()
    assert FULL or all(reached.loc["fine-tuned"] - few_frozen > 0)
    assert FULL or abs(reached.loc["from scratch", 120] - pixels[100].mean()) < 0.03

with after('print("gain in balanced accuracy by split:", gain.round(2))'):
    assert FULL or gain.min() < 0 < gain.max()

with after('print("gain in balanced accuracy by split:", np.round(gains, 2))'):
    assert FULL or (min(gains) > -0.01 and np.mean(gains) > 0.005)
    assert FULL or min(gains) > 0

with after(
    'print(pd.DataFrame({"P(answer)": sureness, "largest drop": drops}).round(2).to_string())'
):
    assert FULL or maps["false alarm"].max() > 0.3
    # Covering nearly any place takes most of the false alarm's probability.
    assert FULL or np.median(maps["false alarm"]) > 0.8
    # The missed defect: its top edge.
    assert FULL or (maps["defect missed"][0].max() > 0.8 and sureness["defect missed"] > 0.98)
    # The defect found: at the top right.
    assert FULL or maps["defect found"].argmax() == maps["defect found"].shape[1] - 1

with after("dark = images[test].mean(axis=(1, 2))"):
    assert FULL or dark[chosen["defect missed"]] < np.quantile(dark, 0.01)  # a dark cell

with after("print(digit_table.round(3).to_string())"):
    score = digit_table["mean"].unstack()
    assert (score["pixels"] > score["pretrained network"] + 0.01).all()
    lead = score["pixels"] - score["pretrained network"]
    assert lead[100] > lead[400] > lead[1000]
    assert (digit_table["std"] < 0.015).all()
