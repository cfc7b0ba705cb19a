"""One ONNX file gives what scikit-learn and PyTorch give, on any rows."""

import copy
import json
import pickle
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from torch import nn

from helpers import onnx_preprocessing
from helpers.datasets import load_adult
from helpers.table_model import load_table_model, predict_rows, save_table_model

NUMBERS, TEXTS = ["age", "hours-per-week"], ["colour", "größe"]
VALUES = {
    "age": [*range(17, 90), np.nan],
    "hours-per-week": [0.5, 40, 41.25, 1e6, np.nan],
    "colour": ["red", "green", "blue", np.nan],
    "größe": ["klein", "groß", "riesig", "x" * 300, np.nan],
    "floor": [-1, 0, 1, 2, 7],
    "sex": ["female", "male"],
}


def one_hot(**options):
    return OneHotEncoder(**{"handle_unknown": "ignore", **options})


def ordinal(**options):
    codes = {"unknown_value": -1, "encoded_missing_value": -2}
    return OrdinalEncoder(handle_unknown="use_encoded_value", **codes, **options)


def constant(**options):
    return SimpleImputer(strategy="constant", fill_value="missing", **options)


def numeric(**options):
    return make_pipeline(SimpleImputer(**options), StandardScaler())


RARE = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=60)
IS_NUMBER, IS_TEXT = (
    make_column_selector(dtype_include="number"),
    make_column_selector(dtype_exclude="number"),
)
EXPORTED = {
    "lesson 2": make_column_transformer((numeric(strategy="median"), NUMBERS), (RARE, TEXTS)),
    "lesson 6": make_column_transformer(
        (numeric(strategy="median"), NUMBERS),
        (make_pipeline(constant(), one_hot(sparse_output=False)), TEXTS),
    ),
    "selectors": make_column_transformer((numeric(), IS_NUMBER), (one_hot(), IS_TEXT)),
    "mean, indicator": make_column_transformer((numeric(add_indicator=True), NUMBERS)),
    "most frequent": make_column_transformer((numeric(strategy="most_frequent"), NUMBERS)),
    "constant": make_column_transformer((numeric(strategy="constant", fill_value=-3), NUMBERS)),
    "zero is missing": make_column_transformer((SimpleImputer(missing_values=0), ["floor"])),
    "text, most frequent, indicator": make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="most_frequent", add_indicator=True), one_hot()),
            TEXTS,
        )
    ),
    "text, another mark": make_column_transformer(
        (make_pipeline(constant(missing_values="male"), one_hot()), ["sex"])
    ),
    "scalers": make_column_transformer(
        (MinMaxScaler(), ["age"]),
        (MinMaxScaler(clip=True), ["floor"]),
        (RobustScaler(), NUMBERS),
        (MaxAbsScaler(), NUMBERS),
        (StandardScaler(with_mean=False), NUMBERS),
        (RobustScaler(with_centering=False, with_scaling=False), NUMBERS),
    ),
    "drop first": make_column_transformer((one_hot(drop="first"), [*TEXTS, "sex"])),
    "drop binary": make_column_transformer((one_hot(drop="if_binary"), [*TEXTS, "sex", "floor"])),
    "drop one": make_column_transformer((one_hot(drop=["male"]), ["sex"])),
    "few": make_column_transformer((one_hot(max_categories=3, drop="first"), [*TEXTS, "sex"])),
    "one-hot numbers": make_column_transformer((one_hot(), ["floor", "age"])),
    "text and numbers": make_column_transformer((one_hot(), ["floor", "colour"])),
    "ordinal": make_column_transformer((ordinal(), [*TEXTS, "floor", "age"])),
    "ordinal, rare": make_column_transformer((ordinal(min_frequency=60), TEXTS)),
    "target": make_column_transformer((TargetEncoder(random_state=0), [*TEXTS, "floor"])),
    "branches": make_column_transformer(
        (one_hot(), ["sex"]),
        ("drop", ["colour"]),
        ("passthrough", ["floor", "age"]),
        (ordinal(), ["größe"]),
        (StandardScaler(), ["age"]),
        remainder=SimpleImputer(),
    ),
    "masks and slices": make_column_transformer(
        (StandardScaler(), [True, False, False, False, True, False]),
        (one_hot(), slice("colour", "größe")),
        (MinMaxScaler(), slice(0, 2)),
        (one_hot(), [5]),
        remainder="passthrough",
    ),
    "nested": make_pipeline(
        make_column_transformer(
            (make_pipeline(make_column_transformer((numeric(), ["age"])), "passthrough"), NUMBERS),
            (make_pipeline(ordinal(), RobustScaler()), TEXTS),
            (make_union(SimpleImputer(), StandardScaler()), ["floor"]),
        ),
        make_column_transformer((MinMaxScaler(), [2, 0]), remainder="passthrough"),
    ),
    "encoder": one_hot(),
}
# steps for which skl2onnx knows float32 only, or whose sums run in another order
NEARLY = {
    "PCA": make_pipeline(EXPORTED["lesson 6"], PCA(3)),
    "PowerTransformer": make_column_transformer(
        (make_pipeline(SimpleImputer(), PowerTransformer()), NUMBERS)
    ),
    "polynomial": make_column_transformer(
        (make_pipeline(numeric(), PolynomialFeatures()), NUMBERS)
    ),
    "bins": make_column_transformer(
        (make_pipeline(SimpleImputer(), KBinsDiscretizer(encode="onehot-dense")), ["age"])
    ),
}


@pytest.fixture(scope="module")
def people():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {name: random.choice(np.array(v, object), 300) for name, v in VALUES.items()}
    )
    return table.astype({"age": float, "hours-per-week": float, "floor": int})


@pytest.fixture(scope="module")
def features_file(people):
    """A function that gives the fitted preprocessor and a session that computes its features."""
    made = {}

    def make(name):
        if name not in made:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                preprocessor = {**EXPORTED, **NEARLY}[name].fit(people, people["sex"] == "male")
                file = onnx_preprocessing.start_file()
                columns = onnx_preprocessing.read_columns(preprocessor)
                features, width = onnx_preprocessing.add_preprocessor(file, preprocessor, columns)
            file.graph.node.append(onnx.helper.make_node("Identity", [features], ["probabilities"]))
            columns = onnx_preprocessing.describe_inputs(file, columns, width)
            onnx.checker.check_model(file, full_check=True)
            made[name] = (
                preprocessor,
                columns,
                onnxruntime.InferenceSession(file.SerializeToString()),
            )
        return made[name]

    return make


def as_inputs(rows, columns):
    """Rows for bare ONNX Runtime, without anything of this course."""
    return {
        column["input"]: rows[[column["name"]]].fillna("").to_numpy(dtype=object)
        if column["type"] == "text"
        else rows[[column["name"]]].to_numpy(dtype=np.float64)
        for column in columns
    }


def transformed(preprocessor, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unknown categories, and of numbers above float32
        prepared = preprocessor.transform(rows)
        return np.asarray(getattr(prepared, "toarray", lambda: prepared)()).astype(np.float32)


numbers = st.floats(allow_nan=True, allow_infinity=False) | st.sampled_from([0.0, 1e300, 5e-324])
texts = st.text(max_size=30) | st.sampled_from(["Red", "red ", "é", "e\u0301", "r\0d", "y" * 5000])
people_rows = st.fixed_dictionaries(
    {
        name: st.sampled_from(values)
        | (texts.map(lambda text: text or np.nan) if isinstance(values[0], str) else numbers)
        for name, values in VALUES.items()
    }
)


@pytest.mark.parametrize("name", EXPORTED)
@settings(max_examples=15, derandomize=True, deadline=None)
@given(rows=st.lists(people_rows, min_size=1, max_size=5))
def test_the_file_prepares_any_row_as_scikit_learn_does(name, features_file, rows):
    preprocessor, columns, session = features_file(name)
    table = pd.DataFrame(rows, columns=list(VALUES)).astype(
        {name: object if isinstance(values[0], str) else float for name, values in VALUES.items()}
    )
    if name in ("zero is missing", "text, another mark"):  # scikit-learn then takes no NaN
        table = table.fillna({"floor": 0.0, "sex": "none"})
    expected = transformed(preprocessor, table)
    found = session.run(None, as_inputs(table, columns))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", [*EXPORTED, *NEARLY])
def test_thousands_of_rows_one_and_none(name, features_file, people):
    preprocessor, columns, session = features_file(name)
    table = people.sample(3000, replace=True, random_state=1).assign(sex="unseen")
    expected = transformed(preprocessor, table)
    for n_rows in (3000, 1, 0):
        found = session.run(None, as_inputs(table[:n_rows], columns))[0]
        np.testing.assert_allclose(found, expected[:n_rows], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("step", "columns", "message"),
    [
        (FunctionTransformer(np.log1p), ["age"], "FunctionTransformer cannot be exported"),
        (
            FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": "category"}),
            TEXTS,
            "Function",
        ),
        (KNNImputer(), NUMBERS, "KNNImputer cannot be exported"),
        (SplineTransformer(), ["floor"], "SplineTransformer cannot be exported"),
        ("passthrough", ["sex"], "'sex' is taken as text by one step and as numbers"),
    ],
)
def test_a_step_that_cannot_be_exported_is_named(step, columns, message, people, tmp_path):
    preprocessor = make_column_transformer((one_hot(), ["sex"]), (step, columns)).fit(people)
    with pytest.raises(ValueError, match=message):
        save_table_model(preprocessor, nn.Linear(2, 2), tmp_path / "m.onnx", classes=[0, 1])
    assert list(tmp_path.iterdir()) == []


def test_columns_that_the_file_could_not_tell_apart_are_refused(people, tmp_path):
    def save(preprocessor):
        save_table_model(preprocessor, nn.Linear(1, 2), tmp_path / "m.onnx", classes=[0, 1])

    two = people[["floor"]].assign(**{"a-b": 1, "a b": 2})
    with pytest.raises(ValueError, match="'a b' and 'a-b' would both be 'a_b' in the file"):
        save(StandardScaler().fit(two))
    with pytest.raises(ValueError, match="fit it on a DataFrame"):
        save(StandardScaler().fit(people[["floor"]].to_numpy()))
    empty = pd.DataFrame({"colour": ["red", "", np.nan]})
    with pytest.raises(ValueError, match="more than one kind of missing value"):
        save(one_hot().fit(empty))


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    """The census file of lesson 2.16 with a network: preprocessor, network, test rows, path."""
    table = load_adult().data
    rows = table[10_000:13_000].astype(dict.fromkeys(table.select_dtypes("number").columns, float))
    for index, name in enumerate(rows):
        rows.iloc[index::50, rows.columns.get_loc(name)] = np.nan
        if name in rows.select_dtypes(exclude="number"):
            rows.iloc[index + 20 :: 50, rows.columns.get_loc(name)] = "unseen"
    chosen = table.columns.drop("fnlwgt")
    is_number = table[chosen].dtypes.map(pd.api.types.is_numeric_dtype)
    preprocessor = make_column_transformer(
        (numeric(strategy="median"), chosen[is_number]),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20), chosen[~is_number]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        width = preprocessor.fit(table[:10_000]).transform(rows[:1]).shape[1]
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(width, 32), nn.Dropout(0.5), nn.ReLU(), nn.Linear(32, 2))
        path = tmp_path_factory.mktemp("table") / "census.onnx"
        classes = ["<=50K", ">50K"]
        save_table_model(preprocessor, network, path, classes=classes, version=7, rows=rows)
    return preprocessor, network, rows, path


def original(preprocessor, network, rows):
    with torch.no_grad():
        prepared = torch.from_numpy(transformed(preprocessor, rows))
        return torch.softmax(copy.deepcopy(network).eval()(prepared), dim=1).numpy()


def test_the_census_file_agrees_on_missing_and_unseen_values(census):
    preprocessor, network, rows, path = census
    table_model = load_table_model(path)
    expected = original(preprocessor, network, rows)
    found = predict_rows(table_model, rows)
    assert found.dtype == np.float32 and np.abs(found - expected).max() <= 1e-6
    bare = onnxruntime.InferenceSession(path).run(
        ["probabilities"], as_inputs(rows, table_model.schema["columns"])
    )[0]
    assert np.abs(bare - expected).max() <= 1e-6
    dicts = rows[:100].astype(object).where(rows[:100].notna(), None).to_dict("records")
    assert np.array_equal(predict_rows(table_model, dicts), found[:100])
    dicts[0]["age"], dicts[1]["sex"] = pd.NA, pd.NA
    assert predict_rows(table_model, dicts).shape == (100, 2)
    assert (
        predict_rows(table_model, []).shape == predict_rows(table_model, rows[:0]).shape == (0, 2)
    )


def test_the_schema_says_what_a_row_is(census):
    *_, rows, path = census
    schema = load_table_model(path).schema
    assert schema == json.loads(onnx.load(path).metadata_props[0].value)
    assert [column["name"] for column in schema["columns"]] == list(rows.columns.drop("fnlwgt"))
    columns = {column.pop("name"): column for column in schema["columns"]}
    assert columns["hours-per-week"] == {"input": "hours_per_week", "type": "number"}
    sexes = {"input": "sex", "type": "text", "categories": ["Female", "Male"]}
    assert columns["sex"] == sexes
    assert schema["classes"] == ["<=50K", ">50K"] and schema["version"] == "7"


def test_numbers_that_are_encoded_have_categories(people, tmp_path):
    preprocessor = make_column_transformer((one_hot(), ["floor"])).fit(people)
    save_table_model(preprocessor, nn.Linear(5, 2), tmp_path / "m.onnx", classes=[0, 1])
    [column] = load_table_model(tmp_path / "m.onnx").schema["columns"]
    assert column["type"] == "number" and column["categories"] == [-1, 0, 1, 2, 7]


def test_embeddings_are_exported_too(people, tmp_path):
    class Embedded(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(8, 3)
            self.last = nn.Linear(6, 2)

        def forward(self, X):
            return self.last(self.table(X.long() + 2).flatten(1))

    preprocessor = make_column_transformer((ordinal(), TEXTS)).fit(people)
    rows, network = people.assign(colour="unseen"), Embedded()
    save_table_model(preprocessor, network, tmp_path / "m.onnx", classes=[0, 1], rows=rows)
    found = predict_rows(load_table_model(tmp_path / "m.onnx"), rows)
    assert np.abs(found - original(preprocessor, network, rows)).max() <= 1e-6


def test_preprocessor_and_model_stay_as_they_were(people, tmp_path):
    preprocessor = make_column_transformer((StandardScaler(), ["floor"])).fit(people)
    before = pickle.dumps(preprocessor)
    network = nn.Sequential(nn.Linear(1, 2), nn.Dropout(0.5))
    save_table_model(preprocessor, network, tmp_path / "m.onnx", classes=[0, 1], rows=people)
    assert pickle.dumps(preprocessor) == before
    assert network.training and all(weight.requires_grad for weight in network.parameters())


def test_seconds_since_1970_keep_their_last_digits(tmp_path):
    rows = pd.DataFrame({"time": 1.7e9 + np.arange(100.0)})
    scaler, network = StandardScaler().fit(rows), nn.Linear(1, 2)
    save_table_model(scaler, network, tmp_path / "m.onnx", classes=[0, 1], rows=rows)
    found = predict_rows(load_table_model(tmp_path / "m.onnx"), rows)
    assert np.abs(found - original(scaler, network, rows)).max() <= 1e-6
    assert len(np.unique(found[:, 0])) == 100


def test_a_file_that_disagrees_is_not_saved(census, people, tmp_path, monkeypatch):
    preprocessor = make_column_transformer((one_hot(), ["sex"])).fit(people)
    monkeypatch.setattr(
        onnx_preprocessing, "_encoder_table", lambda *_: np.ones((3, 2)) - np.eye(3, 2)
    )
    with pytest.raises(ValueError, match=r"would differ by 0\.\d+, .* row \d+, \[0\.\d+"):
        save_table_model(
            preprocessor, nn.Linear(2, 2), tmp_path / "m.onnx", classes=[0, 1], rows=people
        )
    assert list(tmp_path.iterdir()) == []


def test_the_number_of_classes_must_fit(census, tmp_path):
    with pytest.raises(ValueError, match="2 outputs for 3 classes"):
        save_table_model(*census[:2], tmp_path / "m.onnx", classes=["a", "b", "c"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": "forty"}, "row 1, 'age': expected a finite number, got str 'forty'"),
        ({"age": True}, "expected a finite number, got bool"),
        ({"age": [1]}, "expected a finite number, got list"),
        ({"age": float("inf")}, "expected a finite number, got float inf"),
        ({"age": np.float32("-inf")}, "expected a finite number, got float32"),
        ({"age": 10**400}, "expected a finite number, got int 1000"),
        ({"age": 1j}, "expected a finite number, got complex"),
        ({"sex": ["Male"]}, r"row 1, 'sex': expected a text, got list \['Male'\]"),
        ({"sex": 1}, "row 1, 'sex': expected a text, got int 1"),
        ({"sex": b"Male"}, "expected a text, got bytes"),
        ({"sex": "\ud800"}, "expected a text, got str"),
        ({"sex": ..., "hours-per-week": ...}, "row 1 has no 'sex', 'hours-per-week'"),
    ],
)
def test_a_wrong_row_is_refused_in_words(change, message, census):
    good = census[2].dropna().iloc[0].to_dict()
    wrong = {name: value for name, value in {**good, **change}.items() if value is not ...}
    with pytest.raises(ValueError, match=message):
        predict_rows(load_table_model(census[3]), [good, wrong])


def test_a_wrong_table_is_refused_in_words(census):
    table_model = load_table_model(census[3])
    with pytest.raises(ValueError, match="the table has no 'age', 'race'"):
        predict_rows(table_model, census[2].drop(columns=["age", "race"]))
    with pytest.raises(ValueError, match="row 0 is a list, expected a dict"):
        predict_rows(table_model, [[1, 2]])


def test_a_result_that_is_not_finite_is_an_error(census, people, tmp_path):
    rows = census[2].dropna()[:3].copy()
    rows.iloc[2, rows.columns.get_loc("age")] = 1e300
    with pytest.raises(FloatingPointError, match="row 2: the result is not finite"):
        predict_rows(load_table_model(census[3]), rows)
    preprocessor = make_column_transformer((OneHotEncoder(), ["sex"]), ("passthrough", ["age"]))
    preprocessor.fit(people)
    save_table_model(preprocessor, nn.Linear(3, 2), tmp_path / "m.onnx", classes=[0, 1])
    table_model = load_table_model(tmp_path / "m.onnx")
    for row in (
        {"sex": "neither", "age": 1},
        {"sex": None, "age": 1},
        {"sex": "male", "age": None},
    ):
        with pytest.raises(FloatingPointError, match="row 1"):
            predict_rows(table_model, [{"sex": "male", "age": 1}, row])


def test_a_damaged_or_foreign_file_is_refused(census, tmp_path):
    data = census[3].read_bytes()
    file = onnx.load_from_string(data)
    del file.metadata_props[:]
    for content in (data[:-5000], b"", b"no model", file.SerializeToString()):
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(ValueError, match=r"m\.onnx is no table model or is damaged") as caught:
            load_table_model(tmp_path / "m.onnx")
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        load_table_model(tmp_path / "nowhere.onnx")


def test_serving_needs_numpy_and_onnxruntime_only(census):
    code = f"""
        import sys
        for name in ("torch", "pandas", "sklearn", "scipy", "onnx", "skl2onnx"):
            sys.modules[name] = None  # importing it raises an ImportError
        from helpers import load_table_model, predict_rows
        table_model = load_table_model({str(census[3])!r})
        row = {census[2].dropna().iloc[0].to_dict()!r}
        print(predict_rows(table_model, [row]).shape)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.stdout == "(1, 2)\n", done.stderr


def test_a_classifier_at_the_end_is_refused(people, tmp_path):
    pipeline = Pipeline([("scale", StandardScaler()), ("trees", HistGradientBoostingClassifier())])
    pipeline.fit(people[["floor"]], people["sex"])
    with pytest.raises(ValueError, match="HistGradientBoostingClassifier"):
        save_table_model(pipeline, nn.Linear(1, 2), tmp_path / "m.onnx", classes=[0, 1])
