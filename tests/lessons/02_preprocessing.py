"""What is claimed about the results of lesson 2, preparing data."""

UNPRINTED = {"1.35": "the interquartile range of a standard normal distribution"}

# 2.1 and 2.2: scale
with after("summary.round(1)"):
    assert summary.loc["std", "body_mass_g"] > 50 * summary.loc["std", "flipper_length_mm"]

with after('print("means of the test rows:", *X_test_scaled.mean(axis=0).round(3))'):
    assert np.allclose(X_train_scaled.mean(axis=0), 0)
    assert np.allclose(X_train_scaled.std(axis=0), 1)
    assert (X_test_scaled.mean(axis=0) != 0).all()

with after('twice.agg(["min", "median", "max"]).round(2)'):
    assert right.mean() > 0.8 and abs(wrong.mean()) < 0.01
    assert np.median(right) > 1 and abs(right.min()) < 0.1
    assert abs(np.median(wrong)) < 0.5 and wrong.min() < -2

with after("accuracies.round(2)"):
    assert accuracies.loc["SVM", "scaled"] - accuracies.loc["SVM", "raw"] > 0.1
    network = accuracies.loc["neural network"]
    assert network["scaled"] - network["raw"] > 0.3
    assert abs(accuracies.loc["tree", "scaled"] - accuracies.loc["tree", "raw"]) < 0.03

with after("starts.T.round(2)"):
    assert starts["raw"].max() - starts["raw"].min() > 0.2
    assert starts["raw"].max() < 0.9 < 0.95 < starts["scaled"].min()

with after("share.round(3)"):
    assert share["body_mass_g"] > 99.9

# 2.3: convergence
with after("gap.loc[[1, 5, 10, 100]].round(4)"):
    assert gap.loc[10, "scaled"] < 0.0001 and gap.loc[20, "scaled"] < 0.001
    assert gap.loc[100, "raw"] > 0.05

with after("stretch = {name: np.linalg.cond(np.cov(X.T)) for name, X in inputs.items()}"):
    assert stretch["raw"] > 1e9 and stretch["scaled"] < 3

# 2.4: outliers
with after('views.corr("spearman")["raw"].round(3)'):
    order = views.rank()
    assert all(order["raw"].equals(order[name]) for name in list(scalers)[:3])
    assert not order["raw"].equals(order["Normalizer"])

with after("width.round(5)"):
    assert width.loc["RobustScaler", "after"] > 0.99
    assert (width["after"] / width["before"])[["StandardScaler", "MinMaxScaler"]].max() < 0.05

with after("normalised.round(3)"):
    assert np.allclose(normalised.loc[0], normalised.loc[2])

# 2.5: models and scalers
with after('gain.columns = ["gain, part 1", "part 2", "part 3"]'):
    needs_scaling = ["SVM", "neural network", "nearest neighbours"]
    assert gain.loc[needs_scaling].min().min() > 0.1
    assert abs(gain.loc["tree"].mean()) < 0.02 and abs(gain.loc["logistic"].mean()) < 0.03
    columns = scores[["StandardScaler", "MinMaxScaler", "RobustScaler"]]
    assert columns.min().min() > 0.94
    assert (columns.max(axis=1) - columns.min(axis=1)).max() < 0.04
    ruined = ["SVM", "neural network", "logistic"]
    assert scores.loc[ruined, "Normalizer"].max() < 0.5
    assert scores.loc[["tree", "nearest neighbours"], "Normalizer"].min() > 0.9

with after("logistic = fit_quietly(LogisticRegression(), X_train, y_train)"):
    assert logistic.n_iter_[0] == logistic.max_iter == 100

# 2.6: dropping rows
with after('groups.loc[["earn > 50K", "age", "hours-per-week"]].round(3)'):
    assert groups.loc["earn > 50K", "kept"] > 1.5 * groups.loc["earn > 50K", "dropped"]
    assert 6.5 < groups.loc["hours-per-week", "kept"] - groups.loc["hours-per-week", "dropped"] < 7

with after("lost.round(1)"):
    assert lost.iloc[0] > 2 * lost.iloc[2] and lost.iloc[-1] > 3 * lost.iloc[2]

with after('people.loc[people["occupation"].isna(), "workclass"].value_counts(dropna=False)'):
    assert (people.loc[people["occupation"].isna(), "workclass"] == "Never-worked").sum() == 7

# 2.7 and 2.8: imputing
with after('pd.DataFrame(rounds_of).agg(["mean", "min", "max"]).T.round(3)'):
    worth = {case: rounds_of[case, "indicator"] - rounds_of[case, "no indicator"] for case in gone}
    assert worth["heavy birds"].mean() > 0.1 and worth["by chance"].mean() < 0.05
    heavy = rounds_of["heavy birds", "indicator"], rounds_of["heavy birds", "no indicator"]
    assert heavy[0].min() > heavy[1].max()

with after('draws.groupby("imputer").agg(["mean", "std"]).round(3)'):
    found = draws.groupby("imputer").mean()
    link = truth.corr(measured["flipper_length_mm"])
    assert found.loc["SimpleImputer", "deviation"] < 0.9 * truth.std()
    assert 0.95 * truth.std() < found.loc["KNNImputer", "deviation"] < truth.std()
    too_high = found.loc["KNNImputer", "correlation"] - link
    assert found.loc["SimpleImputer", "correlation"] < link - 0.05
    assert too_high > 2 * draws.groupby("imputer")["correlation"].std()["KNNImputer"]

with after('print(f"{name}: mean absolute error {error:.3f} mm")'):
    errors = [
        np.abs(filled[:, 1] - measured["bill_depth_mm"])[hidden].mean()
        for filled in (scaled, raw, simple)
    ]
    assert errors[0] < 0.8 * errors[1] < errors[1] < 0.8 * errors[2]

# 2.9: what is not missing at random
with after("result.round(1)"):
    bias = result["bias"]
    assert abs(bias.loc["mean", "at random"]) < 60
    assert bias.loc["mean", ["by species", "by the mass itself"]].max() < -800
    assert abs(bias.loc["neighbours", "by species"]) < 80
    assert -280 < bias.loc["neighbours", "by the mass itself"] < -100

# 2.11 and 2.12: encoding, pipelines
with after("auc.round(3)"):
    assert auc["logistic"].iloc[0] < 0.6 < 0.65 < auc["logistic"].iloc[1:].min()
    assert auc["tree"].min() > 0.65 and auc["tree"].max() - auc["tree"].min() < 0.01

with after("print(birds.predict(stranger)[0])"):
    assert birds.predict(stranger)[0] == "Gentoo"

with after('learned = numbers.named_steps["simpleimputer"].statistics_'):
    assert np.allclose(learned, birds_train[measures].median())
    assert not np.allclose(learned, penguins[measures].median())

# 2.13: leakage
with after('leak.agg(["mean", "std", "min", "max"]).round(4)'):
    assert abs(leak["all rows"].mean() - leak["training rows"].mean()) < 0.005

with after('share_of_group = rich.groupby(adult.data["fnlwgt"]).mean()'):
    assert adult.data["fnlwgt"].nunique() == 21_648

with after('print(f"test accuracy {accuracy:.3f}, AUC {clean_auc:.3f}")'):
    assert leaky_accuracy - accuracy > 0.1 and leaky_auc - clean_auc > 0.3
    assert abs(accuracy - (1 - rich_test.mean())) < 0.01

with after("auc_unseen = roc_auc_score(rich_test[unseen], chances)"):
    assert abs(auc_unseen - 0.5) < 0.001

with after(
    "with_own, without_own = roc_auc_score(rich_train, plain), roc_auc_score(rich_train, crossed)"
):
    assert with_own > 0.95 and without_own < 0.65

# 2.14: the census
with after("census_accuracy = census.score(adult_test, rich_test)"):
    assert 0.83 < census_accuracy < 0.87 and 0.88 < census_auc < 0.92
    assert leaky_accuracy > census_accuracy + 0.03

with after("difference.round(3)"):
    assert np.allclose(scale_learned.mean_, adult_train[numeric].mean())
    assert (difference.abs() > 0.001).all()
