"""Claims about lesson 1."""

UNPRINTED = {
    "12.8": "a driver's CUDA version, as an example",
    "8.6": "generations of GPUs, as an example",
    "8.9": "generations of GPUs, as an example",
    "12.0": "generations of GPUs, as an example",
    "12.2": "a report made up for exercise 1.2",
    "13.1": "a report made up for exercise 1.2",
}

with after('print("conda:", Path(sys.prefix, "conda-meta").is_dir())'):
    assert sys.version_info >= (3, 11)

with after("X = measured[measures].to_numpy()"):
    assert X.shape == (342, 4)

with after("centred = X - mean"):
    assert np.allclose(centred.mean(axis=0), 0)

with after("print((0.1 + 0.2) + 0.3, 0.1 + (0.2 + 0.3))"):
    assert (0.1 + 0.2) + 0.3 != 0.1 + (0.2 + 0.3)

with after("random.seed(0)"):

    def draw():
        return [random.random(), np.random.rand(), torch.rand(1).item()]

    seed_everything(0)
    first = draw()
    seed_everything(0)
    assert draw() == first
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    assert draw() == first

with after("print(device)"):
    assert device == get_device()

with after("from timeit import repeat"):
    assert not torch.are_deterministic_algorithms_enabled()

with after("classifier.fit(X_train, y_train)"):
    assert classifier.score(X_test, y_test) > 0.95 > baseline.score(X_test, y_test)
    assert (predicted == y_test).mean() > 0.95
    assert (predicted == classifier.predict(X_test)).all()  # the same one is wrong

with after("from sklearn.metrics import log_loss"):
    assert log_loss(y_train, classifier.predict_proba(X_train)) > 1.3 * loss.item()
    network = torch.nn.Linear(4, 3).to(device)
    network.load_state_dict(model.state_dict())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        longer = torch.nn.functional.cross_entropy(network(inputs_train), targets)
        longer.backward()
        optimizer.step()
    assert longer < loss

with after('pd.crosstab(groups, y, rownames=["group"], colnames=["species"])'):
    counts = pd.crosstab(groups, y)
    assert counts.loc[1].tolist() == [0, 0, (y == "Gentoo").sum()]
    assert len(y) - counts.max().sum() == 29
    assert 0.7 < adjusted_rand_score(y, groups) < 0.9

with after('pair = y_train != "Gentoo"'):
    assert scores.mean() > 0.93
    assert measured["sex"].isna().sum() == 9
    sexes = pd.crosstab(groups, [y, measured["sex"]])
    assert sexes.loc[2, "Adelie"].tolist() == [0, 23] and sexes.loc[0, "Chinstrap"].tolist() == [
        5,
        0,
    ]
    assert sexes["Adelie", "male"].sum() == 73

with after("from sklearn.mixture import GaussianMixture"):
    scores = {}
    for name, (method, table) in tries.items():
        found = method(3, n_init=10, random_state=0).fit_predict(
            StandardScaler().fit_transform(table)
        )
        scores[name] = adjusted_rand_score(known["species"], found)
    assert scores["k-means"] < 0.85
    assert min(scores["k-means without sex"], scores["Gaussian mixture"]) > 0.93

with after(
    'print("first episode:", steps[0], "steps; mean of the last twenty:", np.mean(steps[-20:]))'
):
    assert steps[0] > 20
    assert np.mean(steps[:10]) > 30 and np.mean(steps[30:50]) < 13
    cell, way = (0, 0), 0
    while grid[cell] != "G" and way < 20:
        cell, way = step(cell, actions[Q[cell].argmax()]), way + 1
    assert way == 8

with after("print(Q[0, 0].max().round(2), min(steps))"):
    assert abs(Q[0, 0].max() - -8) < 0.01

with after("best = np.array(actions)[Q.argmax(axis=2)]"):
    upper_right = [(0, 3), (0, 4), (1, 3), (1, 4)]
    assert sum(step(cell, best[cell]) == cell for cell in upper_right) == 2
