"""Writes manual pages, docket.1 and one a subcommand, from what `docket --experimental-dump-help` prints.

    docket --experimental-dump-help | man_pages.py VERSION FOLDER

(The format of that: swift-argument-parser, Sources/ArgumentParserToolInfo/ToolInfo.swift. The pages: man-pages(7), groff_man(7).)
"""
import argparse
import json
import os
import sys

# Their defaults come from the machine that they are asked on, and their help says how.
DEFAULTS_OF_THE_MACHINE = {"threads"}


def text(words):
    """Text as roff takes it: backslashes, hyphens and what would be a request at the beginning of a line."""
    words = (words or "").replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join("\\&" + line if line.startswith((".", "\\(aq")) else line for line in words.split("\n"))


def name_of(argument):
    if argument["kind"] == "positional":
        return f"\\fI{text(argument['valueName'])}\\fR"
    dashes = {"long": "--", "short": "-", "longWithSingleDash": "-"}
    names = ", ".join(f"\\fB{text(dashes[n['kind']] + n['name'])}\\fR" for n in argument["names"])
    return names if argument["kind"] == "flag" else f"{names} \\fI{text(argument['valueName'])}\\fR"


def synopsis(title, arguments):
    words = [f"\\fB{text(title)}\\fR"]
    if any(a["kind"] != "positional" for a in arguments):
        words.append("[\\fIoptions\\fR]")
    for argument in arguments:
        if argument["kind"] == "positional":
            word = name_of(argument) + ("..." if argument["isRepeating"] else "")
            words.append(f"[{word}]" if argument["isOptional"] else word)
    return " ".join(words)


def entries(arguments):
    """The arguments, each section under its title."""
    lines, section = [], None
    for argument in arguments:
        title = argument.get("sectionTitle") or "Options"
        if argument["kind"] == "positional":
            title = "Arguments"
        if title != section:
            lines.append(f".SS {text(title)}")
            section = title
        lines += [".TP", name_of(argument)]
        help_text = text(argument.get("abstract") or argument.get("discussion"))
        default = argument.get("defaultValue")
        if default and argument["kind"] == "option" and argument["valueName"] not in DEFAULTS_OF_THE_MACHINE:
            help_text += f" (default: {text(default)})"
        lines.append(help_text)
    return lines


def page(command, version, subcommands):
    title = " ".join(command.get("superCommands", []) + [command["commandName"]])
    file = title.replace(" ", "-")
    arguments = [a for a in command.get("arguments", []) if a["shouldDisplay"]]
    lines = [
        f'.TH {text(file.upper())} 1 "" "docket {text(version)}"',
        ".SH NAME",
        f"{text(file)} \\- {text(command.get('abstract', '').rstrip('.'))}",
        ".SH SYNOPSIS",
        synopsis(title, arguments) if not subcommands else f"\\fB{text(title)}\\fR \\fIcommand\\fR ...",
    ]
    if command.get("discussion"):
        lines += [".SH DESCRIPTION", text(command["discussion"]).replace("\n\n", "\n.PP\n")]
    if subcommands:
        lines.append(".SH COMMANDS")
        for each in subcommands:
            lines += [".TP", f"\\fB{text(file + '-' + each['commandName'])}\\fR(1)", text(each.get("abstract"))]
    lines += [".SH OPTIONS"] + entries(arguments)
    see = ["/usr/share/doc/docket"] if subcommands else ["\\fBdocket\\fR(1)", "/usr/share/doc/docket"]
    lines += [".SH SEE ALSO", ", ".join(see)]
    return file, "\n".join(lines) + "\n"


def write(command, version, folder):
    subcommands = [c for c in command.get("subcommands", []) if c["shouldDisplay"] and c["commandName"] != "help"]
    file, content = page(command, version, subcommands)
    with open(os.path.join(folder, f"{file}.1"), "w", encoding="utf-8") as output:
        output.write(content)
    for each in subcommands:
        write(each, version, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version")
    parser.add_argument("folder")
    options = parser.parse_args()
    try:
        command = json.load(sys.stdin)["command"]
    except (ValueError, KeyError, TypeError):
        parser.error("what comes on standard input is not what `docket --experimental-dump-help` prints")
    try:
        os.makedirs(options.folder, exist_ok=True)
        write(command, options.version, options.folder)
    except OSError as error:
        parser.error(f"cannot write into {options.folder}: {error.strerror}")


main()
