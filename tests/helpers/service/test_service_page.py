"""The form page in a real browser: filled in, sent, read."""

import pytest
from browser import open_page, playwright
from service_process import running_service


@pytest.fixture(scope="module")
def page(census, tmp_path_factory):
    """The page of a running service in headless Chromium; whatever it fetches is in `.asked`."""
    log = tmp_path_factory.mktemp("page") / "log.txt"
    arguments = ["-m", "helpers.service", census.path, "--port", "0"]
    with (
        running_service(arguments, log) as service,
        open_page(viewport={"width": 1000, "height": 900}) as page,
    ):
        page.url_of_service = service.url
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        yield page


def fill(page, row):
    page.goto(page.url_of_service)
    for name, value in row.items():
        field = page.get_by_label(name, exact=True)
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option("" if value is None else value)
        else:
            field.fill("" if value is None else str(value))


def send(page):
    page.get_by_role("button", name="Predict").click()


def test_prediction_is_shown(page, census):
    for index in (0, int(census.probabilities[:, 1].argmax())):
        fill(page, census.rows[index])
        send(page)
        expected = ["<=50K", ">50K"][census.probabilities[index].argmax()]
        heading = page.get_by_role("status").get_by_role("heading")
        playwright.expect(heading).to_have_text(f"Prediction: {expected}")
        share = f"{100 * census.probabilities[index, 1]:.1f} %"
        assert page.get_by_role("row").filter(has_text=">50K").last.inner_text().endswith(share)
    assert page.get_by_label("age").input_value() == str(census.rows[index]["age"])


def test_error_is_shown_at_its_field_and_fixed(page, census):
    fill(page, {**census.rows[0], "age": "forty"})
    send(page)
    alert = page.get_by_role("alert")
    playwright.expect(alert).to_contain_text("the text 'forty'")
    age = page.get_by_label("age")
    assert age.get_attribute("aria-invalid") == "true"
    assert age.evaluate("element => element === document.activeElement")
    age.fill("40")
    send(page)
    playwright.expect(page.get_by_role("status")).to_be_visible()
    assert not page.get_by_role("alert").is_visible()


def test_page_works_with_the_keyboard_alone(page):
    page.goto(page.url_of_service)
    page.keyboard.press("Tab")
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("status")).to_be_visible()
    assert page.get_by_label("age").input_value() == "50"


def test_page_fits_a_telephone_and_asks_nobody_else(page):
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(page.url_of_service)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.get_by_role("heading", level=1).count() == 1
    assert all(url.startswith((page.url_of_service, "data:")) for url in page.asked)
    # Chromium reports the 422 of the error test, and nothing else
    assert all("422" in text for text in page.complaints), page.complaints
