"""Makes screenshots of the console's main screens, in light and dark: screenshots.py FOLDER"""

import argparse
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import command_line
from served import BINARY, Served
from webdriver import Browser, programs

LARGEST_BYTES = 160_000
WIDTH, HEIGHT = 1200, 750

FIRST = "Ada Bob Cleo Dora Emil Fay Gus Hana Ivo Jun".split()
LAST = "Stone Rivers Okafor Lindqvist Marsh Tanaka Weiss Duarte".split()
TITLES = (
    "Crash when a frame ends early|Typo on the start page|Leak after a thousand watches|Hang behind a slow reader|"
    "Dark mode loses the cursor|Export stops at midnight|Tokens do not expire in time|Slow sort without an index|"
    "Wrong count after a restore|Search finds no accents|Certificate is read twice|Import skips the last line").split("|")


def stock(server):
    chance = random.Random(4)

    def name():
        return f"{chance.choice(FIRST)} {chance.choice(LAST)}"

    def bug(number):
        return {
            "title": chance.choice(TITLES), "state": chance.choice(["open", "open", "done", "waiting"]),
            "priority": chance.randint(1, 5), "by": {"name": name(), "team": chance.choice(["core", "web"])},
            "tags": chance.sample(["ui", "new", "data", "net", "docs"], chance.randint(0, 3)),
        }

    server.put_many("/bugs/", 240, bug)
    server.put_many("/people/", 60, lambda number: {"name": name(), "mail": f"p{number}@example.org", "age": chance.randint(20, 70)})
    for number in range(6):
        server.put_many(f"/people/{number:06}/orders/", number + 1, lambda order: {"total": order * 10, "paid": True})
    server.put_many("/sessions/", 900, lambda number: {"person": f"/people/{number % 60:06}", "browser": "Firefox"})
    for state, tags in [("draft", ["plan"]), ("reviewed", ["plan", "2030"]), ("final", ["plan", "2030"])]:
        server.put("/notes/plan", {
            "title": "Plan of the year", "state": state, "tags": tags, "by": {"name": "Ada Stone", "team": "core"},
            "budget": 125000.50 if state != "draft" else 90000, "steps": ["measure", "decide", "build", "tell"],
        })


def documents(browser, server):
    browser.open(server.console("#/documents/bugs/?where[state]=open&sort=-priority"))
    browser.find("tbody tr")
    browser.find(".rail .live[data-state=live]")


def overview(browser, server):
    browser.open(server.console())
    browser.find("tbody tr", "/bugs/")


def document(browser, server):
    browser.open(server.console("#/document/notes/plan?tab=history"))
    browser.find(".diff")
    oldest = browser.run("return [...document.querySelectorAll('input[name=compare-0]')].at(-1).value")
    browser.click(f"input[name=compare-0][value='{oldest}']")
    browser.find("h2", f"From revision {oldest}")
    browser.find(".diff .gone")


def conflict(browser, server):
    browser.open(server.console("#/document/notes/plan"))
    browser.click("button", "Edit")
    browser.type("textarea", browser.find("textarea").property("value").replace('"final"', '"extended"'))
    current = server.get("/notes/plan")
    server.put("/notes/plan", current.replace('"final"', '"cancelled"'))
    browser.click(".actions button", "Save")
    browser.find(".conflict .diff")
    return lambda: server.put("/notes/plan", current)


def figures(browser, server):
    browser.open(server.console("#/server/"))
    for number in range(60):
        for write in range(number % 17):
            server.put(f"/load/{write}", {"n": number})
        time.sleep(0.2)


def backups(browser, server):
    browser.open(server.console("#/backups/"))
    browser.find("tbody tr", "before-upgrade.db")


SCREENS = [documents, overview, document, conflict, figures, backups]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    folder = parser.parse_args().folder
    command_line.need_docket(parser, BINARY)
    programs()
    command_line.make_folder(parser, folder)
    shelf = tempfile.mkdtemp(prefix="docket-console-backups-")
    server = Served("--backup-folder", shelf)
    try:
        stock(server)
        for name in ("docket-20300130T120000Z.db", "docket-20300131T120000Z.db", "before-upgrade.db"):
            server.ask("POST", "/_backups/", {"name": name})
        for name in ("light", "dark"):
            with Browser(dark=name == "dark") as browser:
                browser.resize(WIDTH, HEIGHT)
                for screen in SCREENS:
                    path = os.path.join(folder, f"{screen.__name__}-{name}.png")
                    browser.open("about:blank")
                    mend = screen(browser, server)
                    browser.run("document.activeElement?.blur()")
                    browser.screenshot(path)
                    if mend:
                        mend()
                    if os.path.getsize(path) > LARGEST_BYTES:
                        raise SystemExit(f"{path} has {os.path.getsize(path)} bytes, more than {LARGEST_BYTES}.")
                    print(path, os.path.getsize(path))
    finally:
        server.close()
        shutil.rmtree(shelf)


if __name__ == "__main__":
    main()
