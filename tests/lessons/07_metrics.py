"""Claims of lesson 7, metrics."""

with after("accuracy = (y_pred == y_test).mean()"):
    assert accuracy == accuracy_score(y_test, y_pred)
with after('print("people to call:", y_pred.sum(), "of", y_test.sum(), "investors")'):
    assert y_pred.sum() <= 5
    assert abs(accuracy - (y_test == 0).mean()) < 0.002
with after("p_valid = predict_proba(model, X_valid)[:, 1]"):
    assert max(p_valid.max(), p_test.max()) < 0.5
    assert p_valid.max() > 3 * np.median(p_valid)  # people differ a lot

# 7.2 and 7.3: by hand as by scikit-learn
with after('print("row sums", matrix.sum(axis=1), "column sums", matrix.sum(axis=0))'):
    assert matrix.sum(axis=1)[1] == y_test.sum() and matrix.sum(axis=0)[1] == y_call.sum()
with after("by_row = matrix / matrix.sum(axis=1, keepdims=True)"):
    assert by_row[1, 1] < 1 / 3 and by_column[1, 1] < 1 / 5
with after("recall, precision = tp / (tp + fn), tp / (tp + fp)"):
    assert precision > 2 * y_test.mean()
with after("from sklearn.metrics import precision_score, recall_score"):
    assert np.isclose(recall, recall_score(y_test, y_call))
    assert np.isclose(precision, precision_score(y_test, y_call))
with after("pd.DataFrame(rows).T.round(3)"):
    assert np.isclose(rows["network"]["F1"], f1_score(y_test, y_call))
    assert np.isclose(rows["call everybody"]["F1"], f1_score(y_test, np.ones_like(y_test)))
    assert rows["call everybody"]["mean"] > rows["network"]["mean"]
    assert rows["call everybody"]["F1"] < rows["network"]["F1"]
with after("balanced = (tn / (tn + fp) + tp / (tp + fn)) / 2"):
    assert np.isclose(balanced, balanced_accuracy_score(y_test, y_call))
    assert balanced_accuracy_score(y_test, 0 * y_test) == 0.5

# 7.4 and 7.5
with after('print(f"AUC by hand {higher:.3f}, scikit-learn {roc_auc_score(y_test, p_test):.3f}")'):
    assert np.isclose(higher, roc_auc_score(y_test, p_test))
with after("logits = predict(model, X_test)"):
    assert np.isclose(roc_auc_score(y_test, logits[:, 1] - logits[:, 0]), higher)
with after("from_decisions = roc_auc_score(y_test, y_call)"):
    assert np.isclose(from_decisions, balanced)
with after("from sklearn.metrics import average_precision_score"):
    assert np.isclose(ap, average_precision_score(y_test, p_test))
    assert ap > 2 * y_test.mean()
with after("weight = np.where(y_test == 1, 1, 10)"):
    assert np.isclose(auc_rare, higher) and ap_rare < ap / 4
    assert ap_rare > 2 * np.average(y_test, weights=weight)

# 7.6 and 7.7
with after("best = thresholds[profits.argmax()]"):
    assert 0.1 < best < 0.25 and profits.max() > 0
    assert np.sort(profits)[-2] < 0.9 * profits.max()  # no other threshold comes near
    assert (profits[thresholds < 0.115] < 0).all() and profits[-1] == 0
with after("earned = profit(y_test, p_test >= best)"):
    assert earned > 0
with after("break_even = 10 / 60"):
    assert abs(break_even - best) < 0.02
    assert profit(y_test, p_test >= break_even) > 0
with after('print(f"by hand: threshold {best:.2f}, {earned} dollars")'):
    assert np.isclose(tuned.best_threshold_, best)
    assert profit(y_test, tuned.predict(X_test_32)) == earned
with after("earned_cv = profit(y_test, tuned_cv.predict(X_test_32))"):
    assert 0.1 < tuned_cv.best_threshold_ < 0.25 and earned_cv > 0

# 7.8 and 7.9
with after("actual, taken_for = np.unravel_index(mistakes.argmax(), mistakes.shape)"):
    assert np.sort(mistakes.ravel())[-2] < mistakes.max()
with after('pd.DataFrame({"by hand": averages, "f1_score": by_f1_score}).round(3)'):
    for kind, score in averages.items():
        assert np.isclose(score, f1_score(r_test, r_pred, average=kind))
with after(
    "print(f\"micro F1 {averages['micro']:.3f}, accuracy {accuracy_score(r_test, r_pred):.3f}\")"
):
    assert np.isclose(averages["micro"], accuracy_score(r_test, r_pred))
with after('macro_recall = recall_score(r_test, r_pred, average="macro")'):
    assert np.isclose(macro_recall, balanced_accuracy_score(r_test, r_pred))
with after(
    'print([f"{kind} {f1_score(digit_test, digit_pred, average=kind):.3f}" for kind in averages])'
):
    digit_scores = [f1_score(digit_test, digit_pred, average=kind) for kind in averages]
    assert max(digit_scores) - min(digit_scores) < 0.005

# 7.10 and 7.11
with after("confidence = np.maximum(q_test, 1 - q_test)"):
    assert confidence.mean() > is_right.mean() + 0.07
with after("sure = confidence > 0.95"):
    assert is_right[sure].mean() < 0.95
with after("from sklearn.metrics import brier_score_loss, log_loss"):
    assert np.isclose(brier, brier_score_loss(y_income_test, q_test))
    assert np.isclose(cross_entropy, log_loss(y_income_test, q_test))
with after("share = np.full(len(y_income_test), y_income_train.mean())"):
    assert log_loss(y_income_test, share) < cross_entropy
    assert (y_income_test == 0).mean() < is_right.mean()
    assert expected_calibration_error(y_income_test, share) < 0.005
with after("T = grid[np.argmin(losses)].item()"):
    assert T > 2
with after('print(f"T = {log_T.exp().item():.3f}, by the search {T:.3f}")'):
    assert abs(log_T.exp().item() - T) < 0.02
with after("scores = pd.DataFrame(scores).T"):
    both = scores.loc[["before", "after"]]
    assert both["accuracy"].nunique() == 1 and np.isclose(*both["AUC"])
    assert (
        both.loc["after", ["ECE", "log loss"]] < both.loc["before", ["ECE", "log loss"]] / 2
    ).all()
    stopped_early, after_repair = scores.loc["3 epochs"], scores.loc["after"]
    assert (stopped_early[["accuracy", "AUC"]] > after_repair[["accuracy", "AUC"]]).all()
    assert (stopped_early[["Brier", "log loss"]] < after_repair[["Brier", "log loss"]]).all()
    assert abs(stopped_early["ECE"] - after_repair["ECE"]) < 0.01
with after(
    'print(f"ECE {expected_calibration_error(y_test, p_test):.3f}, mean probability {p_test.mean():.3f}")'
):
    assert expected_calibration_error(y_test, p_test) < p_test.mean() / 5

# 7.12
with after('pd.DataFrame({"by hand": by_hand, "scikit-learn": by_sklearn}).round(3)'):
    assert np.allclose(list(by_hand.values()), list(by_sklearn.values()))
with after("pd.DataFrame(with_typo).round(3)"):
    large, small = with_typo["3210"], with_typo["32.1"]
    assert large["RMSE"] > 3 * by_hand["RMSE"] and 1.5 < large["MAE"] / by_hand["MAE"] < 2
    assert large["R²"] < by_hand["R²"] / 4 and large["MAPE"] < 1.05 * by_hand["MAPE"]
    assert small["MAPE"] > 1.1 * by_hand["MAPE"]
    assert max(small[name] / by_hand[name] for name in ("MAE", "RMSE")) < 1.06
with after("print(best_constant)"):
    assert abs(best_constant["MSE"] - d_test.mean()) <= 1
    assert abs(best_constant["MAE"] - np.median(d_test)) <= 2
    assert best_constant["MAPE"] < 0.8 * np.median(d_test)

# 7.13
with after("folds = RepeatedKFold(n_splits=5, n_repeats=10, random_state=0)"):
    assert r2_scores.max() - r2_scores.min() > 0.2
with after("half_width = 1.96 * np.sqrt(a * (1 - a) / n)"):
    assert abs((high - low) / 2 - half_width) < 0.1 * half_width
with after("totals = dollars[draws].sum(axis=1)"):
    assert dollars.sum() == earned and 0 < low < earned < high

# 7.14
with after("low, high = intervals.to_numpy()"):
    ends = intervals.T.to_numpy()  # network, logistic regression, boosting
    assert ends[2, 0] > max(ends[0, 1], ends[1, 1])
    assert ends[0, 0] < ends[1, 1] and ends[1, 0] < ends[0, 1]
with after('difference = right["network"].astype(int) - right[name].astype(int)'):
    for rival_name in rivals:
        leads = (right["network"].astype(int) - right[rival_name].astype(int)).to_numpy()
        ends = np.percentile(leads[draws].mean(axis=1), [2.5, 97.5])
        assert (ends[1] < 0) if rival_name == "boosting" else (ends[0] < 0 < ends[1])
with after("widths = [np.subtract(*np.percentile(x, [97.5, 2.5])) for x in (paired, unpaired)]"):
    assert widths[0] < 0.5 * widths[1]
with after("statistic = (only_network - only_rival) ** 2 / (only_network + only_rival)"):
    assert name == "boosting" and stats.chi2.sf(statistic, df=1) < 1e-6 and p_value < 1e-6
with after("lead = right_net[few].mean(axis=1) - boosting[few].mean(axis=1)"):
    assert np.percentile(lead, 2.5) < 0 < np.percentile(lead, 97.5)
with after('seeds = pd.DataFrame(seeds).T.unstack().rename_axis("seed")'):
    p_boosting, p_logistic = seeds["p", "boosting"], seeds["p", "logistic"]
    assert (p_boosting < 1e-9).all() and (seeds["lead", "boosting"] < -0.01).all()
    assert (seeds["lead", "logistic"] > 0).all()
    assert p_logistic.max() > 0.1 and p_logistic.max() > 3 * p_logistic.min()
    assert (p_logistic < 0.05).sum() == 1
