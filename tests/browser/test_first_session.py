"""A trainee's first session, in a real browser: from the first page to the debrief, with a reload in the middle."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # the first start on a slow machine builds the guidance index

ODD = '# head $x$ *a* <script>window.hurt = 1</script> :smile: [a](javascript:1) {{ 7*7 }} <img src=x onerror="window.hurt=1">'
REPLIES = ("You're bracing for me to look down on you. What happened?", "Have you thought about asking them for feedback?", ODD)
WATCH = """
() => { window.spoken = []; const region = document.querySelector('.pr-announcer');
  const watched = {childList: true, characterData: true, subtree: true};
  new MutationObserver(() => window.spoken.push(region.textContent)).observe(region, watched) }
"""


SEEN = """
() => { const row = [...document.querySelectorAll('.pr-newest')].pop().getBoundingClientRect();
  return row.top > 0 && row.bottom <= document.querySelector('.st-key-composer').getBoundingClientRect().top + 16 }
"""


def reply(page: Page, words: str, *, number: int) -> None:
    box = page.locator(".st-key-composer textarea")
    expect(box).to_be_enabled()
    box.fill(words)
    box.press("Enter")
    expect(page.locator(".pr-trainee")).to_have_count(number)
    expect(page.locator(f'.pr-client[aria-label="Teo said, turn {number}"]')).to_have_count(1)


def test_a_first_session(browser_page: Page, app_address: str, stored) -> None:
    page, outside = browser_page, []
    page.on("request", lambda r: outside.append(r.url) if not re.match(r"(http|ws)://127\.0\.0\.1|data:|blob:", r.url) else None)

    page.goto(app_address)
    page.get_by_role("button", name="Practise with Teo").click()
    page.get_by_text("Notice hopelessness and ask about safety").click()
    page.get_by_role("button", name="Start with Teo").click()
    expect(page.locator(".pr-client")).to_have_count(1)

    expect(page.locator(".pr-announcer")).to_have_count(1)
    page.evaluate(WATCH)
    for number, words in enumerate(REPLIES, start=1):
        reply(page, words, number=number)
    said = stored("select therapist, client, status from turns order by number")
    assert [row[0] for row in said] == list(REPLIES)
    assert all(client for _, client, _ in said)
    page.wait_for_function("window.spoken.length >= 3")
    assert page.evaluate("window.spoken") == [f"Teo said: {client}" for _, client, _ in said]
    assert page.locator("[aria-live=polite], [role=status]").count() == 1

    page.wait_for_function(SEEN)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("(m => m.scrollWidth <= m.clientWidth)(document.querySelector('[data-testid=stMain]'))")
    page.set_viewport_size({"width": 1280, "height": 900})

    assert page.locator(".pr-trainee .pr-words").last.inner_text() == ODD
    assert page.evaluate("window.hurt") is None
    assert page.locator(".pr-row img, .pr-row a, .pr-row script, [class*=st-key-coach-] .katex").count() == 0

    page.locator(".st-key-composer textarea").fill("half a thou")
    page.reload()
    expect(page.locator(".pr-trainee")).to_have_count(3)
    expect(page.locator(".st-key-composer textarea")).to_have_value("half a thou")
    assert page.evaluate("document.querySelector('.pr-announcer').textContent") == ""
    assert page.locator(".pr-word").count() == 0

    page.get_by_role("button", name="Take my last reply back").click()
    expect(page.locator(".pr-trainee")).to_have_count(2)
    expect(page.get_by_label("Your words")).to_have_value(ODD)
    page.get_by_label("Your words").fill("That sounds lonely.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".pr-trainee")).to_have_count(3)
    expect(page.locator('.pr-client[aria-label="Teo said, turn 3"]')).to_have_count(1)
    rows = stored("select therapist, status from turns where number = 3 order by attempt")
    assert rows == [(ODD, "withdrawn"), ("That sounds lonely.", "complete")]

    page.get_by_role("button", name="Stop and debrief").click()
    expect(page.get_by_text("from your chair")).to_be_visible()
    assert page.locator(".pr-band").count() == 0
    page.locator(".st-key-card-rate-empathy label").filter(has_text=re.compile("^3")).click()
    page.get_by_role("button", name="Show me the debrief").click()
    expect(page.get_by_text("What moved between you")).to_be_visible()
    expect(page.locator(".pr-dimension").first).to_contain_text("You rated 3.")
    assert page.get_by_text("Not in play").count() > 0
    ((status, rating),) = stored("select status, self_rating from practice_sessions")
    assert status == "ended"
    assert '"empathy": 3' in rating
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert "That sounds lonely." in download.value.path().read_text(encoding="utf-8")
    assert outside == []
