"""Claims of lesson 6."""

UNPRINTED = {"50,000": "the label's own limit, >50K"}

with after('print(X.shape, f"{y.mean():.3f}")'):
    assert X.shape == (32561, 14)

with after("assert X_train.index.intersection(X_valid.index).empty"):
    assert max(abs(part.mean() - y.mean()) for part in parts.values()) < 0.001

with after("print(words)"):
    assert X_train[numbers].notna().all(axis=None), "the numbers have no gap"

with after("history = train(model, train_loader, valid_loader)"):
    assert len(history) < 30, "early stopping ended it"
    best = history["valid_loss"].idxmin()
    assert history["train_loss"].iloc[-1] < history["train_loss"].loc[best]
    assert history["valid_loss"].iloc[-1] > history["valid_loss"].loc[best]

with after(
    "accuracy, auc = accuracy_score(y_test, proba[:, 1] > 0.5), roc_auc_score(y_test, proba[:, 1])"
):
    assert accuracy > 1 - y_test.mean() + 0.05
    assert auc > 0.9

with after("auc_of_classes = roc_auc_score(y_test, proba.argmax(axis=1))"):
    assert auc_of_classes < auc - 0.1

with after("wrong, right = r2_of_hours((-1,)), r2_of_hours((-1, 1))"):
    assert abs(wrong) < 0.05
    assert right > 0.15

with after("A_refitted = make_preprocessor().fit_transform(X_valid)"):
    assert A_refitted.shape[1] < A_train.shape[1], "fewer words, fewer columns"

with after("fresh_loss = loss_fn(make_mlp(A_train.shape[1])(X_batch), y_batch).item()"):
    assert abs(fresh_loss - np.log(2)) < 0.15

with after("sums = pipeline.predict_proba(X_test).sum(axis=1)"):
    assert np.isnan(pipeline["net"].history[:, "train_loss"]).all()
    assert np.isfinite(pipeline.predict_proba(X_test)).all()
    assert not np.allclose(sums, 1)

with after("small_proba = pipeline.predict_proba(X_test)"):
    assert np.allclose(small_proba.sum(axis=1), 1, atol=1e-5)

with after("search.fit(X_small, y_small)"):
    assert len(search.cv_results_["params"]) == 8

with after('mean_auc = results.pivot_table("mean_test_score", "scaler", ["lr", "hidden"])'):
    means = results.pivot_table("mean_test_score", "scaler", "lr")
    gain_by_rate = means[0.01] - means[0.001]
    assert (means.loc["StandardScaler"] > means.loc["MinMaxScaler"] + 0.005).all()
    assert gain_by_rate["MinMaxScaler"] > gain_by_rate["StandardScaler"]

with after("by_fold.assign(mean=by_fold.mean(axis=1)).round(3)"):
    assert (by_fold.loc["StandardScaler"] > by_fold.loc["MinMaxScaler"]).all(axis=None)
    better = {scaler: table.diff().iloc[-1] > 0 for scaler, table in by_fold.groupby(level=0)}
    assert better["MinMaxScaler"].all()
    assert better["StandardScaler"].sum() == 1

with after(
    'print(f"AUC {auc:.3f} (network of 6.3) and {search.score(X_test, y_test):.3f} (search)")'
):
    assert 0.003 < auc - search.score(X_test, y_test) < 0.03
    from sklearn.metrics import roc_curve

    scores = proba[:, 1], search.predict_proba(X_test)[:, 1]
    shares = np.linspace(0, 1, 1001)
    curves = [np.interp(shares, *roc_curve(y_test, each)[:2]) for each in scores]
    assert (curves[0] >= curves[1] - 0.005).all(), "on or above nearly everywhere"
    assert (curves[0] >= curves[1]).mean() > 0.8

with after("coder = make_coder(numbers, words).fit(X_train)"):
    assert C_train[:, 5:].max() == 41, "words in a column"

with after("auc_embedded = roc_auc_score(y_test, probabilities(embedding_net, C_test)[:, 1])"):
    assert abs(auc - auc_embedded) < 0.01
    assert count_parameters(embedding_net) < 0.65 * count_parameters(model)

with after('schools.corr("spearman")[["education-num"]].round(2)'):
    correlations = schools.corr("spearman")["education-num"]
    assert correlations[["place, seed 0", "place, seed 1"]].min() > 0.9
    assert correlations["share of high incomes"] > 0.95

with after('gains.assign(gain=gains["learned features"] - gains["columns"]).round(3)'):
    gain_of = gains["learned features"] - gains["columns"]
    assert (gain_of.iloc[:2] > 0.002).all()
    assert gain_of.iloc[2] < 0.001
    assert abs(gains.loc["logistic regression", "learned features"] - auc) < 0.01

with after("losses = [log_loss(y_test, m.predict_proba(F_test)) for m in (seen, unseen)]"):
    assert losses[0] > 2 * losses[1]

with after('by_model = runs.groupby("model", sort=False)'):
    assert fair["accuracy"].idxmax() == "boosting"
    networks = ["MLP", "MLP with embeddings"]
    assert (abs(fair.loc[networks, "AUC"] - fair.loc["random forest", "AUC"]) < 0.005).all()
    behind = fair.loc[networks, "AUC"].min() - fair.loc["logistic regression", "AUC"]
    assert 0 < behind < 0.01

with after('second = auc_by_sample.drop(columns="boosting").max(axis=1)'):
    assert (auc_by_sample.idxmax(axis=1) == "boosting").all()
    lead = auc_by_sample["boosting"] - second
    assert (lead > 0.005).all()
    assert lead.min() > (auc_by_sample.max() - auc_by_sample.min()).max()

with after('costs["kB"] = costs.pop("bytes") / 1000'):
    assert costs.loc["random forest", "kB"] > 20 * costs.loc["MLP", "kB"]
    smallest = costs["kB"].drop("logistic regression").nsmallest(2).index
    assert set(smallest) == {"MLP", "MLP with embeddings"}
    assert costs["kB"].idxmin() == "logistic regression"

with after('by_gain.set_index("capital-gain").loc[[3103, 3137, 4064, 4386, 5013, 5178]].round(2)'):
    shares = by_gain.set_index("capital-gain")["mean"]
    assert shares[3103] > 0.7
    assert shares[3137] == 0
    assert shares[4386] > 0.7
    assert shares[5013] == 0

with after('both.pivot_table("AUC", "model", "capital", sort=False).round(3)'):
    new = informed_runs.pivot(index="sample", columns="model", values="AUC")
    assert (new["MLP with embeddings"] > auc_by_sample["MLP"] + 0.01).all()
    assert (new["MLP with embeddings"] > auc_by_sample["boosting"] + 0.002).all()
    lifted = new["logistic regression"]
    assert (lifted > auc_by_sample["logistic regression"] + 0.005).all()
    assert (lifted > auc_by_sample[["MLP", "MLP with embeddings"]].max(axis=1)).all()

with after("larger = [measure(name, *pair, sample=0, rows=25_000) for name, pair in best.items()]"):
    assert abs(larger[2]["AUC"] - larger[0]["AUC"]) < 0.003, "about level"

with after(
    'print("refused:", str(error).partition("WeightsUnpickler error: ")[2].partition(". ")[0])'
):
    from contextlib import redirect_stdout
    from io import StringIO

    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()) as printed:
        torch.save(Surprise(), Path(folder) / "surprise.pt")
        try:
            torch.load(Path(folder) / "surprise.pt", weights_only=True)
        except pickle.UnpicklingError:
            refused = True
    assert refused
    assert not printed.getvalue(), "refused without running it"

with after("learned = learned_by(preprocess)"):
    assert len(str(learned)) < 2000

with after('strange = X_test[:1].assign(age=np.nan, occupation="astronaut")'):
    assert np.isfinite(predict_income(strange)).all()
