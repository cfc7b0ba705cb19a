"""Claims of lesson 3: what its text says of the results, within bounds that CI can rely on."""

UNPRINTED = {
    "1.585": "the logarithm of 3 to base 2",
    "0.45": "a claim that exercise 3.1 makes up",
    "0.984": "the accuracy that the check of exercise 3.5 asks for",
}

with after('print(f"R² of always answering the mean: {dummy_r2.mean():.3f}")'):
    assert abs(dummy_r2.mean()) < 0.01

with after('print(f"accuracy of always answering benign: {dummy_accuracy:.3f}")'):
    assert 0.6 < dummy_accuracy < 0.65

with after("mse = (residuals**2).mean()"):
    assert mse < 0.7 * dummy_mse

with after('print("R² of the five folds:", linear_r2.round(3).tolist())'):
    assert linear_r2.min() > dummy_r2.max() + 0.2
    assert linear_r2.max() > linear_r2.min() + 0.2

with after("weights = pd.Series(scaled[-1].coef_, X_diabetes_train.columns).round(1)"):
    assert weights["s1"] < -15 and weights["s2"] > 5

with after("errors = y_diabetes - out_of_fold"):
    assert high > 1.2 * low

with after("misses = hours - straight.predict(ages)"):
    age = ages["age"]
    assert misses[age < 25].mean() < -5 and misses[age > 65].mean() < -5
    assert misses[age.between(30, 55)].mean() > 3
    assert bent.score(ages, hours) > straight.score(ages, hours) + 0.4

with after("typo[y_diabetes_train.idxmax()] *= 10"):
    for model, is_moved in [(LinearRegression(), True), (HuberRegressor(), False)]:
        right, wrong = (model.fit(bmi_only, y).coef_[0] for y in (y_diabetes_train, typo))
        assert (wrong > 1.3 * right) == is_moved

with after('gaps["difference"] = observed - expected'):
    assert gaps["difference"].abs().max() < 0.15

with after("wide = RocCurveDisplay.from_estimator("):
    assert wide.roc_auc > 0.98
    assert 0.9 < narrow.roc_auc < wide.roc_auc - 0.02

with after("zeros = {name: (path == 0).sum(axis=1) for name, path in paths.items()}"):
    assert zeros["L2"].max() == 0 and zeros["L1"][0] > 20 > zeros["L1"][-1]

with after('auc_table = pd.DataFrame(aucs).agg(["mean", "std"]).T.unstack(0)'):
    assert np.isclose(auc_table.loc[0.001, ("mean", "L1")], 0.5)  # every coefficient is zero
    assert auc_table.loc[0.1, "mean"].min() > 0.98
    assert (auc_table["mean"].idxmax() == 0.1).all()
    assert (auc_table.loc[0.1, "mean"] - auc_table.loc[10, "mean"] < auc_table.loc[10, "std"]).all()

with after(
    'kept = pd.Series(paths["L1"][4], X_cancer_train.columns)  # the fifth value of C is 0.1'
):
    assert (kept != 0).sum() == 7 and kept["mean radius"] == 0

with after("best = max(gains, key=lambda measure: gains[measure].max())"):
    others = [gain.max() for measure, gain in gains.items() if measure != best]
    assert gains[best].max() > max(others) + 0.05

with after("two_levels.fit(penguins[measures], species)"):
    assert two_levels.score(penguins[measures], species) > 0.95

with after(
    'for scores, rows in [(curve.train_scores, "train"), (curve.test_scores, "validation")]:'
):
    train_r2, valid_r2 = curve.train_scores.mean(axis=1), curve.test_scores.mean(axis=1)
    assert train_r2[-1] > 0.95 and valid_r2[-1] < 0 and valid_r2.argmax() < 4
    assert (np.diff(train_r2) > 0).all()

with after("tree_r2 = [r2_score(y_diabetes_test, answer) for answer in answers]"):
    assert forest.score(X_diabetes_test, y_diabetes_test) > max(tree_r2)
    assert max(tree_r2) < 0.05

with after("one, twenty, sixty = r2.mean(axis=0)[[0, 19, 59]]"):
    deep = by_depth[None].mean(axis=0)
    assert deep[-1] > deep[0] + 0.4 and deep[-1] > deep.max() - 0.03
    ends = [r2[:, -1].mean() for r2 in by_depth.values()]
    assert by_depth[5][:, -1].mean() > 0.4
    assert max(ends) - min(ends) < by_depth[5][:, -1].std(ddof=1)
    assert max(ends) < linear_r2.mean()

with after("census_accuracy = census_forest.score(X_adult_test, y_adult_test)"):
    assert census_accuracy > 1 - y_adult_test.mean() + 0.05

with after('rank = both["impurity"].rank(ascending=False)["random"]'):
    ranks = both.rank(ascending=False).loc[["random", "fnlwgt"]]
    assert ranks["impurity"].max() <= 5
    noisy = both.loc[["random", "fnlwgt"], "permutation"]
    assert noisy.max() < 0.015 < both.loc["capital-gain", "permutation"]
    assert both.loc["random", "impurity"] > both.loc["capital-gain", "impurity"]

with after("largest = drop.importances_mean.max()"):
    assert cancer_forest.score(X_cancer_test, y_cancer_test) > 0.9 and largest < 0.05

with after("ax = draw_street(street, X_pair, y_pair, plt.figure().subplots())"):
    lengths = abs(street.decision_function(X_pair))
    assert set(np.flatnonzero(lengths < 1.01)) == set(support)

with after('again = SVC(kernel="linear", C=1).fit(scaled_birds[support], y_pair.iloc[support])'):
    assert np.allclose(again.coef_, street[-1].coef_, atol=0.02)

with after("for C in [0.01, 1, 100]:"):
    widths = []
    for C in [0.01, 1, 100]:
        model = make_pipeline(StandardScaler(), SVC(kernel="linear", C=C)).fit(X_pair, y_pair)
        widths.append(2 / np.linalg.norm(model[-1].coef_))
        assert C != 0.01 or (widths[-1] > 1.5 and len(model[-1].support_) > 50)
    assert widths[0] > widths[1] > widths[2]

with after("wine_scores = {}"):
    accuracy = {name: folds.mean() for name, folds in wine_scores.items()}
    assert accuracy["linear"] + 0.08 < min(accuracy["polynomial, degree 2"], accuracy["RBF"])

with after("for name, svc in kernels.items():"):
    accuracy = {name: folds.mean() for name, folds in wine_scores.items()}
    assert accuracy["dummy"] < min(accuracy[name] for name in kernels) - 0.05
    counts = {name: len(svc.support_) for name, svc in kernels.items()}
    assert counts["linear"] > max(counts["polynomial, degree 2"], counts["RBF"])

with after('fitted = pd.DataFrame(rbf, ["train", "validation"]).T.rename_axis(["C", "gamma"])'):
    assert rbf[1, 100][0] > 0.95 and rbf[1, 100][1] < 0.8  # islands: overfitting
    assert rbf[1, 1][1] > rbf[1, 0.1][1] + 0.05  # nearly straight: underfitting
    assert rbf[100, 0.1][1] > rbf[1, 0.1][1] + 0.05  # a large C makes up for a small gamma

with after('outside = len(regressors["rbf"][-1].support_)'):
    means = svr_r2.mean()
    assert means["linear"] < 0 and means["poly"] > 0.3 and means["rbf"] > 0.8
    assert svr_r2["poly"].min() < 0
    assert outside < len(ages) / 2

with after(
    'both_tasks = {"income": mean_and_spread(income), "diabetes": mean_and_spread(progression)}'
):
    assert income.drop(columns="dummy").mean().min() > income["dummy"].mean() + 0.03
    good = income.drop(columns=["dummy", "tree"])
    assert good.mean().min() > income["dummy"].mean() + 0.05
    assert good.mean().max() - good.mean().min() < 2 * good.std().max()
    assert good.mean().max() - good.mean().min() < 0.03
    assert progression["tree"].mean() < progression["dummy"].mean()
    assert progression["linear regression"].mean() >= progression["forest"].mean()
    assert progression["linear regression"].mean() == progression.mean().max()

with after('duel = progression[["linear regression", "SVM, linear"]]'):
    assert duel.corr().iloc[0, 1] > 0.8 and 3 * difference.std() < duel.std().min()
    assert difference.mean() > 0

with after("winner = tried.loc[search.best_index_]"):
    assert search.best_score_ > default.mean() > tried["mean_test_score"].min() + 0.5
    assert tried["mean_test_score"].min() > dummy.mean()

with after("fresh = lucky.score(digits.data[many], coins[many])"):
    assert max(luck) > 0.54 and abs(fresh - 0.5) < 0.04

with after("test_accuracy = search.score(X_digits_test, y_digits_test)"):
    assert test_accuracy > 0.96
