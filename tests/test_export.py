"""Models in every format: equal to the original, whole on disk, and safe to load."""

import copy
import io
import json
import os
import pickle
import re
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from torch import nn

from helpers import export
from helpers.datasets import load_adult
from helpers.export import (
    check_parity,
    load_exported,
    load_onnx,
    load_table_model,
    load_torchscript,
    measure_latency,
    predict_rows,
    save_exported,
    save_onnx,
    save_table_model,
    save_torchscript,
)

NUMBERS = ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
WORDS = [
    "workclass", "education", "marital-status", "occupation", "relationship", "race", "sex",
    "native-country",
]  # fmt: skip
FORMATS = {
    "trace": (save_torchscript, load_torchscript, {}),
    "script": (save_torchscript, load_torchscript, {"method": "script"}),
    "frozen": (save_torchscript, load_torchscript, {"method": "script", "freeze": True}),
    "exported": (save_exported, load_exported, {}),
    "onnx": (save_onnx, load_onnx, {}),
}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    """The bytes of each format."""
    folder, files = tmp_path_factory.mktemp("formats"), {}
    for name, (save, _, options) in FORMATS.items():
        save(model, folder / name, example=torch.zeros(1, 6), **options)
        files[name] = (folder / name).read_bytes()
    return files


@pytest.fixture(scope="module")
def census():
    X = load_adult().data
    X_train, X_test = train_test_split(X, test_size=0.2, random_state=0)
    X_train = X_train.copy()
    X_train.iloc[::50, X.columns.get_loc("age")] = np.nan
    return X_train, X_test


def one_hot_preprocessor():
    for_numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    for_words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return ColumnTransformer([("numbers", for_numbers, NUMBERS), ("words", for_words, WORDS)])


def ordinal_preprocessor():
    coder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    )
    return ColumnTransformer(
        [("words", coder, WORDS), ("numbers", StandardScaler(), NUMBERS[1:]), ("rest", "drop", [])]
    )


class Embeddings(nn.Module):
    """Codes from -2 upwards, for `ordinal_preprocessor`."""

    def __init__(self, n_words, n_numbers):
        super().__init__()
        self.n_words = n_words
        self.tables = nn.ModuleList(nn.Embedding(60, 3) for _ in range(n_words))
        self.last = nn.Linear(3 * n_words + n_numbers, 2)

    def forward(self, X):
        codes = X[:, : self.n_words].long() + 2
        vectors = [table(codes[:, i]) for i, table in enumerate(self.tables)]
        return self.last(torch.cat([*vectors, X[:, self.n_words :]], dim=1))


@pytest.fixture(scope="module")
def one_hot(census, tmp_path_factory):
    """Preprocessor, model and file."""
    preprocessor = one_hot_preprocessor().fit(census[0])
    torch.manual_seed(0)
    width = preprocessor.transform(census[0][:1]).shape[1]
    network = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 2))
    path = tmp_path_factory.mktemp("table") / "census.zip"
    save_table_model(preprocessor, network, path, classes=["<=50K", ">50K"], version="7")
    return preprocessor, network, path


def original(preprocessor, network, rows):
    with torch.no_grad():
        prepared = torch.from_numpy(preprocessor.transform(rows).astype("float32"))
        return torch.softmax(network(prepared), dim=1).numpy()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_outputs(name, model, saved, tmp_path):
    (tmp_path / "model").write_bytes(saved[name])
    call = FORMATS[name][1](tmp_path / "model")
    X = torch.from_numpy(np.random.default_rng(0).normal(size=(100, 6)).astype("float32"))
    assert check_parity(copy.deepcopy(model).eval(), call, X) <= 1e-5
    assert call(X.numpy()).shape == (100, 3) and isinstance(call(X), np.ndarray)
    assert call(X[:0]).shape == (0, 3)


@pytest.mark.parametrize("name", FORMATS)
def test_saving_leaves_the_model_and_the_folder_as_they_were(name, model, tmp_path):
    save, _, options = FORMATS[name]
    if name == "onnx":
        pytest.importorskip("onnxscript")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        save(model, tmp_path / "model", example=torch.zeros(2, 6), **options)
    assert model.training and all(p.requires_grad for p in model.parameters())
    assert names_in(tmp_path) == ["model"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("damage", ["cut", "empty", "text", "bits"])
def test_a_damaged_file_is_refused_in_one_line(name, damage, saved, tmp_path):
    data = saved[name]
    at = data.rindex(next(iter(weights(name, data))))
    damaged = {
        "cut": data[: len(data) // 2],
        "empty": b"",
        "text": b"this is no model",
        "bits": data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :],
    }[damage]
    path = tmp_path / "model"
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="is damaged") as caught:
        FORMATS[name][1](path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def weights(name, data):
    """Pieces of the file that hold weights."""
    torch.manual_seed(0)
    yield nn.Linear(6, 16).weight.detach().numpy().tobytes()[:64]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_not_there_is_named(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FORMATS[name][1](tmp_path / "nowhere")


def test_a_failed_write_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.write_bytes(b"the old one")
    monkeypatch.setattr(os, "fsync", lambda number: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_torchscript(model, path, example=torch.zeros(1, 6))
    assert path.read_bytes() == b"the old one" and names_in(tmp_path) == ["model"]


def test_an_unknown_method_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match='\'compile\', expected "trace" or "script"'):
        save_torchscript(model, tmp_path / "model", example=torch.zeros(1, 6), method="compile")


def test_an_exported_file_names_no_folder_and_holds_no_example(model, tmp_path):
    save_exported(model, tmp_path / "model", example=torch.full((2, 6), 12345.5))
    data = (tmp_path / "model").read_bytes()
    assert b"site-packages" not in data and np.float32(12345.5).tobytes() not in data


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def rewritten(data, change):
    """The zip with each entry as `change(name, content)` gives it."""
    new = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            archive.writestr(name, change(name, old.read(name)))
    return new.getvalue()


def with_expression(trap, name, content):
    if not name.endswith("model.json"):
        return content
    code = f"__import__('os').mkdir({str(trap)!r})"
    text = re.sub(rb'"expr_str": "[^"]*"', f'"expr_str": "{code}"'.encode(), content)
    assert text != content
    return text


def with_example(trap, name, content):
    if not name.endswith("sample_inputs/model.pt"):
        return content
    buffer = io.BytesIO()
    torch.save(Trap(trap), buffer)
    return buffer.getvalue()


def with_pickled_weight(trap, name, content):
    if name.endswith("model_weights_config.json"):
        return content.replace(b'"use_pickle": false', b'"use_pickle": true')
    if name.endswith("weight_0"):
        buffer = io.BytesIO()
        torch.save(Trap(trap), buffer)
        return buffer.getvalue()
    return content


def with_guard(trap, name, content):
    if not name.endswith("model.json"):
        return content
    program = json.loads(content)
    program["guards_code"] = [f"__import__('os').mkdir({str(trap)!r}) is None"]
    return json.dumps(program).encode()


def with_target(trap, name, content):
    return content.replace(b"torch.ops.aten.relu.default", b"torch.hub.load")


@pytest.mark.parametrize(
    "change", [with_expression, with_example, with_pickled_weight, with_guard, with_target]
)
def test_an_exported_file_that_could_run_code_is_refused(change, saved, tmp_path):
    trap, path = tmp_path / "sprung", tmp_path / "model"
    hostile = rewritten(saved["exported"], lambda *entry: change(trap, *entry))
    assert hostile != rewritten(saved["exported"], lambda name, content: content)
    path.write_bytes(hostile)
    with pytest.raises(ValueError, match="not safe"):
        load_exported(path)
    assert not trap.exists()


def test_pytorch_itself_runs_such_code(saved, tmp_path):
    """Otherwise the examination would be needless, and should go."""
    trap = tmp_path / "sprung"
    hostile = rewritten(saved["exported"], lambda *entry: with_example(trap, *entry))
    try:
        torch.export.load(io.BytesIO(hostile))
    except Exception:
        assert trap.exists()
    assert trap.exists()


def test_an_entry_that_does_not_belong_is_refused(saved, tmp_path):
    buffer = io.BytesIO(saved["exported"])
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("archive/data/weights/model.pt", pickle.dumps(Trap(tmp_path / "sprung")))
    (tmp_path / "model").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="does not belong"):
        load_exported(tmp_path / "model")


def test_an_onnx_file_passes_the_checker_of_onnx(saved):
    onnx = pytest.importorskip("onnx")
    program = onnx.load_from_string(saved["onnx"])
    onnx.checker.check_model(program)
    assert program.graph.input[0].type.tensor_type.shape.dim[0].dim_param


def test_without_a_compiler_one_line_says_so(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert export.find_compiler() is None
    with pytest.raises(RuntimeError, match="needs a C\\+\\+ compiler"):
        export.save_compiled(model, tmp_path / "model.pt2", example=torch.zeros(2, 6))
    assert names_in(tmp_path) == []


def test_a_package_that_is_none_is_refused(tmp_path):
    (tmp_path / "model.pt2").write_bytes(b"no package")
    with pytest.raises(ValueError, match="ahead-of-time package"):
        export.load_compiled(tmp_path / "model.pt2")


def test_parity_finds_the_one_wrong_number():
    X = torch.arange(200.0).reshape(100, 2)

    def wrong_in_large_batches(x):
        y = 1 * x
        if len(x) == 37:
            y[x[:, 0] == 140, 1] += 3
        return y

    with pytest.raises(
        AssertionError, match=r"differ by 3, .* batch size 37, row 70, output 1: 141"
    ):
        check_parity(lambda x: x, wrong_in_large_batches, X, batch_sizes=range(1, 100))
    assert check_parity(lambda x: x, wrong_in_large_batches, X, batch_sizes=[1, 64]) == 0


def test_parity_at_the_edges():
    X = np.array([[1.0], [np.nan], [np.inf]])
    assert check_parity(lambda x: x, lambda x: x, X, batch_sizes=[3]) == 0
    assert check_parity(lambda x: x, lambda x: x + 1e-6, X, batch_sizes=[1]) == pytest.approx(1e-6)
    with pytest.raises(AssertionError, match="differ by inf"):
        check_parity(lambda x: x, lambda x: x.nan_to_num(), X, batch_sizes=[2])
    with pytest.raises(AssertionError, match=r"shape \(2, 1\) expected, got \(2,\)"):
        check_parity(lambda x: x, lambda x: x[:, 0], X, batch_sizes=[2])
    with pytest.raises(ValueError, match="rows, expected the same"):
        check_parity(lambda x, y: x, lambda x, y: x, (X, X[:2]))
    with pytest.raises(ValueError, match="nothing would be compared"):
        check_parity(lambda x: x, lambda x: x, X, batch_sizes=[])


def test_latency_counts_only_what_comes_after_warming_up():
    calls = []
    times = measure_latency(lambda: calls.append(1), warm_up=3, repeat=20)
    assert len(calls) == 23
    assert list(times.index) == ["median_ms", "p99_ms"] and 0 < times.median_ms <= times.p99_ms


def test_the_census_file_agrees_on_every_test_row(one_hot, census):
    preprocessor, network, path = one_hot
    X_test = census[1]
    assert X_test[WORDS].isna().any().any()
    found = predict_rows(load_table_model(path), X_test)
    assert found.shape == (len(X_test), 2)
    assert np.abs(found - original(preprocessor, network, X_test)).max() <= 1e-5


def test_the_census_file_agrees_on_gaps_and_unseen_words(one_hot, census):
    preprocessor, network, path = one_hot
    table_model = load_table_model(path)
    strange = pd.concat([census[1][:8]] * len([*NUMBERS, *WORDS]), ignore_index=True)
    strange = strange.astype(dict.fromkeys(NUMBERS, float) | dict.fromkeys(WORDS, object))
    for index, name in enumerate([*NUMBERS, *WORDS]):
        strange.loc[8 * index : 8 * index + 3, name] = np.nan
        strange.loc[8 * index + 4 : 8 * index + 7, name] = 1e6 if name in NUMBERS else "unseen"
    expected = original(preprocessor, network, strange)
    assert np.abs(predict_rows(table_model, strange) - expected).max() <= 1e-5
    as_dicts = strange.astype(object).where(strange.notna(), None).to_dict("records")
    assert np.array_equal(predict_rows(table_model, as_dicts), predict_rows(table_model, strange))
    single = np.vstack([predict_rows(table_model, [row]) for row in as_dicts])
    assert np.abs(single - expected).max() <= 1e-5


def test_the_schema_says_what_a_row_is(one_hot, census):
    schema = load_table_model(one_hot[2]).schema
    assert schema["numbers"] == NUMBERS and list(schema["categories"]) == WORDS
    assert schema["categories"]["sex"] == ["Female", "Male"]
    assert schema["classes"] == ["<=50K", ">50K"] and schema["version"] == "7"
    assert set(schema) == {"numbers", "categories", "classes", "version"}


def test_embeddings_and_codes_for_missing_values_are_exported_too(census, tmp_path):
    X_train, X_test = census
    preprocessor = ordinal_preprocessor().fit(X_train)
    torch.manual_seed(0)
    network = Embeddings(len(WORDS), len(NUMBERS) - 1)
    odd = X_test.assign(sex="unseen")
    rows = pd.concat([X_test, odd])
    save_table_model(preprocessor, network, tmp_path / "m.zip", classes=[0, 1], rows=rows)
    found = predict_rows(load_table_model(tmp_path / "m.zip"), rows)
    assert np.abs(found - original(preprocessor, network, rows)).max() <= 1e-5
    assert np.abs(found[: len(X_test)] - found[len(X_test) :]).max() > 1e-3


def test_a_file_that_disagrees_is_not_saved(one_hot, census, tmp_path, monkeypatch):
    preprocessor, network, _ = one_hot
    monkeypatch.setattr(export, "code_category", lambda *args: 0)
    with pytest.raises(AssertionError, match="the outputs differ"):
        save_table_model(
            preprocessor, network, tmp_path / "m.zip", classes=[0, 1], rows=census[1][:50]
        )
    assert names_in(tmp_path) == []


def test_a_step_that_cannot_be_exported_is_named(census, tmp_path):
    X = census[0][:500]
    network = nn.Linear(2, 2)
    for step, columns, message in [
        (MinMaxScaler(), NUMBERS[:2], "MinMaxScaler"),
        (FunctionTransformer(), NUMBERS[:2], "FunctionTransformer"),
        (OneHotEncoder(handle_unknown="ignore", drop="first"), ["sex"], "without drop"),
        (OneHotEncoder(handle_unknown="ignore", min_frequency=400), ["race"], "min_frequency"),
        (OneHotEncoder(), ["sex"], "handle_unknown='ignore'"),
        (OrdinalEncoder(), ["sex"], "use_encoded_value"),
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age"], "indicator"),
    ]:
        preprocessor = ColumnTransformer([("part", step, columns)]).fit(X)
        with pytest.raises(ValueError, match=message):
            save_table_model(preprocessor, network, tmp_path / "m.zip", classes=[0, 1])


def test_the_number_of_classes_must_fit(one_hot, tmp_path):
    with pytest.raises(ValueError, match="2 outputs for 3 classes"):
        save_table_model(*one_hot[:2], tmp_path / "m.zip", classes=["a", "b", "c"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": "forty"}, "row 0, 'age': expected a number, got str 'forty'"),
        ({"age": True}, "expected a number, got bool"),
        ({"age": [1]}, "expected a number, got list"),
        ({"age": float("inf")}, "'age': expected finite"),
        ({"age": 10**400}, "'age': expected finite"),
        ({"age": 1e300}, "row 0 has a number too large"),
        ({"sex": ["Male"]}, "row 0, 'sex': expected a text, got list"),
        ({"sex": ...}, "row 0 has no 'sex'"),
    ],
)
def test_a_bad_row_is_refused_in_words(change, message, one_hot, census):
    row = {**census[1].iloc[0].to_dict(), **change}
    row = {name: value for name, value in row.items() if value is not ...}
    with pytest.raises(ValueError, match=message):
        predict_rows(load_table_model(one_hot[2]), [row])


def test_bad_tables_are_refused_in_words(one_hot, census):
    table_model = load_table_model(one_hot[2])
    with pytest.raises(ValueError, match="the table has no 'age', 'race'"):
        predict_rows(table_model, census[1].drop(columns=["age", "race"]))
    with pytest.raises(ValueError, match="row 0 is a list, expected a dict"):
        predict_rows(table_model, [[1, 2]])
    assert predict_rows(table_model, []).shape == (0, 2)


def test_a_changed_or_foreign_table_file_is_refused(one_hot, saved, tmp_path):
    data, path = one_hot[2].read_bytes(), tmp_path / "m.zip"
    later = rewritten(data, lambda name, x: x.replace(b'"format": 1', b'"format": 2'))
    odd_schema = rewritten(data, lambda name, x: x.replace(b'"classes":', b'"klasses":'))
    for content, message in [
        (data[:-100], "is damaged"),
        (data[:30000] + b"?" + data[30001:], "wrong checksum|is damaged"),
        (saved["exported"], "it holds"),
        (later, "format is 2"),
        (odd_schema, "its schema has"),
        (b"", "is damaged"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load_table_model(path)
