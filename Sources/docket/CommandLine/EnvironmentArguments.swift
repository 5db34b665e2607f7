import ArgumentParser

/// A command line, completed from the environment: `--max-connections` can be set as `DOCKET_MAX_CONNECTIONS`.
///
/// The names come from the properties of the command and its option groups: `maxConnections` is both. So options
/// and flags have no names but that one, and a flag is off unless it is given.
///
/// A flag's variable is 1, true, yes or on, or 0, false, no or off. An empty variable counts as none.
struct EnvironmentArguments {
  /// The arguments as given, with those from the environment behind the name of the subcommand.
  let arguments: [String]
  /// The variables that were used, and the options that they stand for.
  private let used: [Setting]

  /// - Throws: `CommandFailure` when a flag's variable is neither yes nor no, or there is no such command.
  init(root: any ParsableCommand.Type, arguments: [String], environment: [String: String]) throws {
    let (command, position) = Self.selectedCommand(root: root, arguments: arguments)
    try Self.refuseUnknownCommand(of: command, arguments, at: position)
    let given = Self.givenNames(arguments[position...])
    var added: [String] = []
    var used: [Setting] = []
    for setting in Setting.all(of: command) where !given.contains(setting.option) {
      guard let value = environment[setting.variable], !value.isEmpty else { continue }
      if setting.takesValue {
        added.append("\(setting.option)=\(value)")
      } else if try Self.isYes(value, variable: setting.variable) {
        added.append(setting.option)
      } else {
        continue
      }
      used.append(setting)
    }
    self.arguments = arguments[..<position] + added + arguments[position...]
    self.used = used
  }

  /// The variables, if any, that set the options which a parser's message names.
  func origin(ofErrorMessage message: String) -> String? {
    // It may go on with a guess at what was meant. No variable stands for an option that there is not.
    guard !message.hasPrefix("Unknown option") else { return nil }
    let words = message.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")) }
    let variables = used.filter { setting in words.contains { $0 == setting.option } }.map(\.variable)
    return variables.isEmpty ? nil : variables.joined(separator: ", ")
  }

  /// The command that will run, and where its own arguments begin. A command that has subcommands has no options.
  private static func selectedCommand(
    root: any ParsableCommand.Type, arguments: [String]
  ) -> (command: any ParsableCommand.Type, position: Int) {
    var command = root
    var position = 0
    while position < arguments.count,
      let next = command.configuration.subcommands.first(where: { $0._commandName == arguments[position] })
    {
      command = next
      position += 1
    }
    return (command, position)
  }

  /// The parser would call it an unexpected argument.
  private static func refuseUnknownCommand(
    of command: any ParsableCommand.Type, _ arguments: [String], at position: Int
  ) throws {
    guard !command.configuration.subcommands.isEmpty, position < arguments.count else { return }
    let word = arguments[position]
    guard !word.hasPrefix("-") else { return }
    if word == "help", position == 0 {
      let (helped, end) = selectedCommand(root: command, arguments: Array(arguments.dropFirst()))
      return try refuseUnknownCommand(of: helped, Array(arguments.dropFirst()), at: end)
    }
    let path = (["docket"] + arguments[..<position]).joined(separator: " ")
    throw CommandFailure("there is no command '\(word)'; '\(path) --help' lists those that there are", status: .usage)
  }

  /// Whether an option stands on this process's command line, and not in the environment only.
  static func isGiven(_ name: String) -> Bool { givenNames(CommandLine.arguments[...]).contains("--" + name) }

  /// The options and flags that stand on the command line, without their values.
  private static func givenNames(_ arguments: ArraySlice<String>) -> Set<String> {
    var names: Set<String> = []
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
      names.insert(String(argument.prefix { $0 != "=" }))
    }
    return names
  }

  private static func isYes(_ value: String, variable: String) throws -> Bool {
    switch value.lowercased() {
    case "1", "true", "yes", "on": true
    case "0", "false", "no", "off": false
    default:
      throw CommandFailure(
        "\(variable) is '\(value)': a flag is 1, true, yes or on, or 0, false, no or off", status: .usage)
    }
  }
}

extension EnvironmentArguments {
  /// An option or a flag of a command, and the variable that stands for it.
  struct Setting: Equatable {
    let option: String
    let variable: String
    /// False for a flag.
    let takesValue: Bool

    /// - Parameter property: the name of the property, as in Swift.
    init(property: String, takesValue: Bool) {
      let words = property.reduce(into: "") { words, character in
        if character.isUppercase { words.append("-") }
        words.append(character.lowercased())
      }
      option = "--\(words)"
      variable = "DOCKET_" + String(words.map { $0 == "-" ? "_" : $0 }).uppercased()
      self.takesValue = takesValue
    }

    /// The settings of a command, those of its option groups included.
    static func all(of arguments: any ParsableArguments.Type) -> [Setting] {
      Mirror(reflecting: arguments.init()).children.flatMap { child -> [Setting] in
        // The storage of a property wrapper bears the property's name behind an underscore.
        guard let label = child.label, label.hasPrefix("_") else { return [] }
        switch type(of: child.value) {
        case let wrapper as any NamedSetting.Type:
          return [Setting(property: String(label.dropFirst()), takesValue: wrapper.takesValue)]
        case let group as any SettingGroup.Type:
          return all(of: group.contents)
        default:
          return []
        }
      }
    }
  }
}

/// A property wrapper that puts a name on the command line.
private protocol NamedSetting {
  static var takesValue: Bool { get }
}

extension Option: NamedSetting {
  static var takesValue: Bool { true }
}

extension Flag: NamedSetting where Value == Bool {
  static var takesValue: Bool { false }
}

/// A property wrapper that takes in the settings of another type.
private protocol SettingGroup {
  static var contents: any ParsableArguments.Type { get }
}

extension OptionGroup: SettingGroup {
  static var contents: any ParsableArguments.Type { Value.self }
}
