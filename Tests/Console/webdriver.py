"""A browser, driven by W3C WebDriver (https://www.w3.org/TR/webdriver2/) through chromedriver, with the standard library alone."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {
    "enter": "\ue007", "escape": "\ue00c", "down": "\ue015", "up": "\ue013", "left": "\ue012", "right": "\ue014",
    "tab": "\ue004", "home": "\ue011", "end": "\ue010", "control": "\ue009",
}
PATIENCE_SECONDS = 30


class WebDriverError(Exception):
    pass


def programs():
    """The browser and its driver."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        raise SystemExit("The console's tests need chromium and chromedriver: apt-get install chromium chromium-driver")
    return chromium, driver


class Browser:
    """One browser with one window. Use it in a `with`."""

    def __init__(self, width=1280, height=860, dark=False):
        chromium, driver = programs()
        self._start(driver)
        self.session = None
        try:
            arguments = [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                "--force-color-profile=srgb", f"--window-size={width},{height}", "--lang=en",
            ]
            if dark:
                arguments.append("--blink-settings=preferredColorScheme=0")
            else:
                arguments.append("--blink-settings=preferredColorScheme=1")
            answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": {"binary": chromium, "args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"},
                "unhandledPromptBehavior": "ignore",
            }}})
            self.session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.close()
            raise

    def _start(self, driver):
        """It takes a port of IPv4 and of IPv6. By itself it looks at the second alone, which on a busy machine is taken of the first
        time after time; here it is the other way about, and where it ends all the same, another one is tried."""
        for _ in range(10):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            self.driver = subprocess.Popen(
                [driver, f"--port={port}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for line in self.driver.stdout:
                found = re.search(r"started successfully on port (\d+)", line)
                if found:
                    self.base = f"http://127.0.0.1:{found[1]}"
                    return
            self.driver.wait(timeout=20)
            self.driver.stdout.close()
        raise WebDriverError("chromedriver did not say on which port it listens.")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self._ask("DELETE", self.session)
            except (WebDriverError, OSError):
                pass
        self.driver.terminate()
        self.driver.wait(timeout=20)
        self.driver.stdout.close()

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path, data=data, method=method, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise WebDriverError(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def ask(self, method, path, body=None):
        return self._ask(method, self.session + path, body)

    # What the browser does.

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def reload(self):
        self.ask("POST", "/refresh", {})

    def back(self):
        self.ask("POST", "/back", {})

    def run(self, script, *arguments):
        """Runs the body of a function in the page, and returns what it returns."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def command(self, name, **parameters):
        """A command of the DevTools protocol."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def resize(self, width, height):
        """The size of the page itself, which may be smaller than any window."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("GET", "/screenshot")))

    def press(self, *keys):
        """Presses keys one after the other, wherever the focus is."""
        actions = []
        for key in keys:
            key = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def chord(self, *keys):
        keys = [KEYS.get(key, key) for key in keys]
        actions = [{"type": "keyDown", "value": key} for key in keys]
        actions += [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def log(self):
        """What the page has written to its console since the last call."""
        return self.ask("POST", "/se/log", {"type": "browser"})

    # What is on the page.

    def all(self, selector, text=None):
        found = self.ask("POST", "/elements", {"using": "css selector", "value": selector})
        elements = [Element(self, item[ELEMENT]) for item in found]
        return elements if text is None else [element for element in elements if text in element.text]

    def find(self, selector, text=None):
        """The first element that is shown, has this text and can be found, once there is one."""
        def look():
            for element in self.all(selector):
                try:
                    if element.is_shown and (text is None or text in element.text):
                        return element
                except WebDriverError:
                    return None
            return None
        return self.wait(look, f"{selector} with the text {text!r}" if text else selector)

    def gone(self, selector, text=None):
        def look():
            try:
                return not any(element.is_shown for element in self.all(selector, text))
            except WebDriverError:
                return False
        self.wait(look, f"no {selector} {text or ''}")

    def click(self, selector, text=None):
        self.retry(lambda: self.find(selector, text).click())

    def type(self, selector, text):
        self.retry(lambda: self.find(selector).set(text))

    def retry(self, act):
        """The page may have been drawn anew between the look and the act."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return act()
            except WebDriverError as error:
                if time.monotonic() > deadline or not re.match("stale|element (click|not)|no such element", str(error)):
                    raise
                time.sleep(0.05)

    def wait(self, condition, what):
        """Waits for a condition, and returns what it returned."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                result = condition()
            except WebDriverError as error:
                # The page has put another element in the place of the one that was looked at.
                if not str(error).startswith("stale") or time.monotonic() > deadline:
                    raise
                result = None
            if result:
                return result
            if time.monotonic() > deadline:
                body = self.run("return document.body.innerText")
                raise AssertionError(f"There is still not: {what}. The page says:\n{body[:3000]}\n{self.log()}")
            time.sleep(0.05)


class Element:
    def __init__(self, browser, id):
        self.browser = browser
        self.path = f"/element/{id}"
        self.id = id

    def _ask(self, method, path, body=None):
        return self.browser.ask(method, self.path + path, body)

    @property
    def text(self):
        return self._ask("GET", "/text")

    @property
    def is_shown(self):
        return self._ask("GET", "/displayed")

    @property
    def is_enabled(self):
        return self._ask("GET", "/enabled")

    def property(self, name):
        return self._ask("GET", f"/property/{name}")

    def attribute(self, name):
        return self._ask("GET", f"/attribute/{name}")

    def click(self):
        self._ask("POST", "/click", {})

    def set(self, text):
        """Puts a text in the place of what a field has, as typing it would."""
        self.browser.run(
            "const [field, text] = arguments; field.focus(); field.select?.(); "
            "Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, text); "
            "field.dispatchEvent(new Event('input', {bubbles: true})); "
            "field.dispatchEvent(new Event('change', {bubbles: true}));",
            {ELEMENT: self.id}, text)
