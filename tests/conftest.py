"""A tiny census network, trained once a test process, for the tests of the services."""

from types import SimpleNamespace

import pytest

NUMBERS = ["age", "education-num", "capital-gain", "hours-per-week"]
CATEGORIES = ["workclass", "occupation", "sex"]


@pytest.fixture(scope="session")
def census(tmp_path_factory):
    """The saved model's `path`, the loaded `table_model`, test `rows`, their `probabilities`."""
    import torch
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from torch import nn

    from helpers.datasets import load_adult
    from helpers.export import load_table_model, save_table_model
    from helpers.training import fit, make_loader, predict

    torch.manual_seed(0)
    table, target = load_adult(return_X_y=True)
    table = table[NUMBERS + CATEGORIES]
    preprocessor = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
    )
    train, test = table[:600], table[600:900]
    X_train = preprocessor.fit_transform(train)
    model = nn.Sequential(nn.Linear(X_train.shape[1], 16), nn.ReLU(), nn.Linear(16, 2))
    fit(
        model,
        make_loader(X_train, (target[:600] == ">50K").astype(int), shuffle=True),
        loss_fn=nn.CrossEntropyLoss(),
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
        epochs=2,
        progress=False,
    )
    path = tmp_path_factory.mktemp("census") / "census.zip"
    save_table_model(preprocessor, model, path, classes=["<=50K", ">50K"], version="test-1")
    logits = predict(model, preprocessor.transform(test))
    return SimpleNamespace(
        path=path,
        table_model=load_table_model(path),
        rows=[
            {name: None if value != value else value for name, value in row.items()}
            for row in test.astype(object).to_dict("records")
        ],
        probabilities=torch.softmax(torch.as_tensor(logits), dim=1).numpy(),
    )
