"""What the tests of the console have in common: one browser, one server, and a look at what the page complained of."""

import unittest

from served import Served
from webdriver import Browser

# A browser says so of each answer that is an error, though the console expects some.
EXPECTED = "Failed to load resource"


class ConsoleCase(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Served(*cls.options)
        cls.addClassCleanup(cls.server.close)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.resize(1280, 860)
        self.expected = [EXPECTED]

    def tearDown(self):
        complaints = [
            entry["message"] for entry in self.browser.log()
            if not any(expected in entry["message"] for expected in self.expected)
        ]
        self.assertEqual(complaints, [], "the page complained")

    def go(self, address=""):
        """Opens a screen of the console, as if it had never been open."""
        self.browser.open("about:blank")
        self.browser.open(self.server.console(address))

    def see(self, selector, text=None):
        return self.browser.find(selector, text)

    def wait(self, condition, what):
        return self.browser.wait(condition, what)

    def texts(self, selector):
        return self.browser.run(
            "return [...document.querySelectorAll(arguments[0])].map((element) => element.textContent.toWellFormed())", selector)

    def see_texts(self, selector, texts):
        self.wait(lambda: self.texts(selector) == texts, f"{selector} with {texts}")

    def patience(self, milliseconds):
        """How long the console waits for an answer, until the page is loaded anew."""
        self.browser.run("return import('/_console/api.js').then(({ patience }) => { patience.milliseconds = arguments[0]; })", milliseconds)

    def ids(self):
        return self.texts("tbody tr th")
