"""Claims about lesson 2, preparing data."""

UNPRINTED = {"803.1": "printed in section 2.1, and compared here"}

# 2.2: scale
with after("new = penguins_test[measures].dropna().head(1)"):
    assert np.allclose(X_scaled.mean(axis=0), 0) and np.allclose(X_scaled.std(axis=0), 1)
    assert np.allclose(StandardScaler().fit_transform(new), 0)

with after("pd.DataFrame(starts).map(np.mean).T.round(2)"):
    means = pd.DataFrame(starts).map(np.mean)
    assert means["raw"].max() < 0.7 < 0.95 < means["scaled"].min()
    assert means["raw"].max() - means["raw"].min() > 0.05
    fits = [MLPClassifier(random_state=seed).fit(X_scaled, species) for seed in range(4)]
    assert all(network.n_iter_ == 200 for network in fits)

with after(
    'print(f"SVM that sees the mass alone: {mass_alone.mean():.2f} ± {mass_alone.std():.2f}")'
):
    assert share["body_mass_g"] > 99.9
    assert abs(mass_alone.mean() - cross_val_score(SVC(), X, species, cv=folds).mean()) < 0.04
    assert cross_val_score(SVC(kernel="linear"), X, species, cv=folds).mean() > 0.95

# 2.3: convergence
with after("print(str(caught[0].message).splitlines()[0])"):
    assert issubclass(caught[0].category, ConvergenceWarning)

with after("raw = adult_train[numeric]"):
    scaled = StandardScaler().fit_transform(raw)
    assert LogisticRegression(C=np.inf, max_iter=30).fit(scaled, rich_train).n_iter_[0] < 20
    slow = LogisticRegression(C=np.inf, max_iter=100).fit(raw, rich_train)
    assert log_loss(rich_train, slow.predict_proba(raw)) > 0.45

# 2.4: outliers and skewed columns
with after('typo = area["area error"].idxmax()'):
    widths = {name: others(scaler, mistyped) for name, scaler in scalers.items()}
    assert widths["MinMaxScaler"] < widths["StandardScaler"] < 0.05
    kept = {name: widths[name] / others(scalers[name], area) for name in widths}
    assert abs(kept["RobustScaler"] - 1) < 1e-9 and abs(kept["QuantileTransformer"] - 1) < 0.001
    moved = [scalers["QuantileTransformer"].fit_transform(each) for each in (area, mistyped)]
    moved = abs(np.delete(moved[0] - moved[1], typo))
    assert 0 < (moved > 1e-9).sum() < 10 and moved.max() < 0.02
    assert min(kept["log1p"], kept["PowerTransformer"]) > 0.9

with after('print(f"{job}, C={C}", summary.round(3).to_string(), sep="\\n")'):
    assert (job, C) == ("census", 10_000)
    assert gain["log1p"].max() < 0 and gain["PowerTransformer"].max() < 0
    assert abs(gain["QuantileTransformer"].mean()) < 1.5 * gain["QuantileTransformer"].std()
    for C, low, high in ((1, 0.01, 0.05), (10_000, -0.01, 0.01)):
        model = LogisticRegression(C=C, max_iter=1000)
        plain = cross_val_score(
            make_pipeline(StandardScaler(), model), errors_train, benign_train, cv=folds
        )
        logs = cross_val_score(
            make_pipeline(scalers["log1p"], model), errors_train, benign_train, cv=folds
        )
        assert low < (logs - plain).mean() < high

with after("robust = RobustScaler().fit(adult_train[amounts])"):
    assert (robust.scale_ == 1).all()

# 2.5: models and scalers
with after('print(gain.agg(["mean", "std", "min", "max"]).T.round(3))'):
    assert gain[["SVM", "neural network", "nearest neighbours"]].min().min() > 0.1
    assert gain[["tree", "logistic"]].mean().abs().max() < 0.02
    assert LogisticRegression().fit(X, species).n_iter_[0] == 100

# 2.6 to 2.9: missing values
with after("incomplete = adult_train.isna().any(axis=1)"):
    assert rich_train[~incomplete].mean() > 1.5 * rich_train[incomplete].mean()

with after(
    'draws.groupby(["hidden", "imputer"])[["error", "correlation"]].agg(["mean", "std"]).round(3)'
):
    error = draws.groupby(["hidden", "imputer"])["error"].mean()
    depth, mass = error["bill_depth_mm"], error["body_mass_g"]
    assert depth["neighbours"] < 0.8 * depth["neighbours, unscaled"] < 0.8 * depth["mean"]
    assert mass["neighbours"] < 0.5 * mass["mean"]
    link = draws.groupby(["hidden", "imputer"])["correlation"].mean()
    true = X.corr()["flipper_length_mm"]
    assert link["body_mass_g"]["neighbours"] > true["body_mass_g"]
    assert link["bill_depth_mm"]["neighbours"] < true["bill_depth_mm"]

with after(
    'trials.groupby(["missing", "imputer"], sort=False)["bias"].agg(["mean", "std"]).round(1)'
):
    bias = trials.groupby(["missing", "imputer"])["bias"].mean()
    assert abs(bias["MCAR", "mean"]) < 60
    assert bias["MAR", "mean"] < -800 and bias["MNAR", "mean"] < -800
    assert abs(bias["MAR", "neighbours"]) < 80
    assert -280 < bias["MNAR", "neighbours"] < -100

# 2.10 to 2.13: encoding, pipelines, search
with after('return cross_val_score(model, table, rich_train, cv=folds, scoring="roc_auc")'):
    education = adult_train[["education"]]
    assert auc(make_pipeline(ordinal["alphabetical"], logistic), education).mean() < 0.6
    assert auc(make_pipeline(ordinal["ordered"], logistic), education).mean() > 0.65

with after("print(birds.predict(stranger))"):
    assert birds.predict(stranger)[0] == "Gentoo"

with after('print({status: statuses.count(status) for status in ("passed", "skipped", "failed")})'):
    assert statuses.count("failed") == 0 and statuses.count("passed") > 30
    assert Clipper().fit(area).get_feature_names_out() == ["area error"]
    hundred = np.arange(200.0)[:, None]
    dirty = np.where(hundred == 199, 1e6, hundred)
    assert Clipper().fit(dirty[100:]).upper_ > 1000 > Clipper().fit(dirty).upper_
    try:
        Clipper(0.6).fit(area)
    except ValueError as error:
        assert "below 0.5" in str(error)
    else:
        raise AssertionError("Clipper(0.6) is accepted")

with after("clipped = make_pipeline(Clipper(), StandardScaler())"):
    assert np.isclose(others(clipped, mistyped), others(clipped, area))
    for row in area["area error"].sort_values().index[[0, 284, -7, -2]]:
        wrong = area["area error"].mask(area.index == row, 100 * area["area error"]).to_frame()
        widths = [np.delete(clipped.fit_transform(each), row).std() for each in (area, wrong)]
        assert abs(widths[0] - widths[1]) < 0.03
    tops = area["area error"].nlargest(6).index
    for many, holds in ((5, True), (6, False)):
        dirty = area["area error"].mask(area.index.isin(tops[:many]), 1e6).to_frame()
        assert (Clipper().fit(dirty).upper_ < 1000) == holds

with after(
    'print(f"{name:12} cross-validation {best.best_score_:.3f} held-out rows {held_out:.3f}")'
):
    assert name == "wider grid" and len(search.cv_results_["params"]) == 18
    assert best.best_score_ > search.best_score_ > 0.85
    assert held_out < search.score(errors_test, benign_test)

# 2.14: leakage
with after('print(f"in the pipeline:  AUC {clean.mean():.3f} ± {clean.std():.3f}")'):
    assert leaky.mean() > 0.95 and clean.mean() < 0.65
    sizes = weight["fnlwgt"].value_counts()
    assert (sizes == 1).mean() > 0.7
    twins = adult_train[adult_train.duplicated("fnlwgt", keep=False)].groupby("fnlwgt")
    assert (twins["sex"].nunique() == 1).mean() > 0.9
    assert twins["age"].std().mean() < 0.3 * adult_train["age"].std()

with after('print(nest.nunique(), "nests,", day.groupby(nest).nunique().max(), "date per nest")'):
    assert (nest.value_counts() == 2).all()

with after('print(f"{type(splitter).__name__:10} R² {r2.mean():.2f} ± {r2.std():.2f}")'):
    assert isinstance(splitter, GroupKFold) and r2.mean() < 0.7

with after('print(f"leaky minus clean: {np.mean(differences):.4f} ± {np.std(differences):.4f}")'):
    assert abs(np.mean(differences)) < 0.005

# 2.16 and 2.17: the census
with after("census = boosting(features).fit(adult_train[features], rich_train)"):
    assert 0.86 < (predicted == rich_test).mean() < 0.88
    assert not {"race", "sex", "fnlwgt", "education"} & set(features)
    assert boosted.mean() > scores["linear"].mean() + 3 * boosted.std()
    assert abs((scores["with race, sex"] - boosted).mean()) < 0.002
    seen = set(adult_train[features].astype(str).itertuples(index=False, name=None))
    twin = np.array(
        [row in seen for row in adult_test[features].astype(str).itertuples(index=False, name=None)]
    )
    right = predicted == rich_test
    assert 0.2 < twin.mean() < 0.25 and right[twin].mean() < right[~twin].mean()
    mates = nest[penguins_test.index].isin(nest[penguins_train.index])
    assert mates.mean() > 0.75

with after(
    'print(f"the census itself: men {rich_test[male].mean():.1%}, women {rich_test[~male].mean():.1%}")'
):
    assert dropped == "relationship" and roc_auc_score(male, sex) > 0.8
    gap, full = (each[male].mean() - each[~male].mean() for each in (says, predicted))
    assert gap > full - 0.005

with after("print(second_python(program).stdout)"):
    done = second_python(program)
    assert done.returncode == 0
    *errors, chance = done.stdout.splitlines()
    assert errors[1:] == ["ValueError"] and errors[0] in {"TypeError", "ValueError"}
    assert chance == str(census.predict_proba(person[features])[:, 1].round(3))

with after('print(f"predictions changed: {(census.predict(spaced) != predicted).mean():.1%}")'):
    assert (unseen == spaced[categories].notna()).all(axis=None)
    assert 0.08 < (census.predict(spaced) != predicted).mean() < 0.2

with after("print(done.stderr.splitlines()[-1])"):
    assert "Clipper" in done.stderr.splitlines()[-1]
