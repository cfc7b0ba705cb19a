"""A tiny census network as a table model, for the tests of the service and its benchmark."""

from types import SimpleNamespace

NUMBERS = ["age", "education-num", "capital-gain", "hours-per-week"]
CATEGORIES = ["workclass", "occupation", "sex"]


def make_census(path):
    """Save a model at `path`; returns a namespace, see the fixture `census`."""
    import torch
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from torch import nn

    from helpers.datasets import load_adult
    from helpers.table_model import load_table_model, save_table_model

    torch.manual_seed(0)
    table, target = load_adult(return_X_y=True)
    table = table[NUMBERS + CATEGORIES]
    preprocessor = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
    )
    train, test = table[:600], table[600:900]
    X = torch.as_tensor(preprocessor.fit_transform(train), dtype=torch.float32)
    y = torch.as_tensor((target[:600] == ">50K").to_numpy(dtype=int))
    model = nn.Sequential(nn.Linear(X.shape[1], 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(X), y).backward()
        optimizer.step()
    save_table_model(preprocessor, model, path, classes=["<=50K", ">50K"], version="test-1")
    with torch.no_grad():
        logits = model(torch.as_tensor(preprocessor.transform(test), dtype=torch.float32))
    return SimpleNamespace(
        path=path,
        table_model=load_table_model(path),
        rows=[
            {name: None if value != value else value for name, value in row.items()}
            for row in test.astype(object).to_dict("records")
        ],
        probabilities=torch.softmax(logits, dim=1).numpy(),
    )
