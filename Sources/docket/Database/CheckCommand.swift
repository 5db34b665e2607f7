import ArgumentParser
import DocketJSON
import DocketSQLite

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Look whether a database file is sound, also while it is served.",
    discussion: """
      It reads the whole file in one snapshot and changes nothing: SQLite's own check of its pages, the schema, the settings of \
      collections and what they need, every document, and the chain of each document's changes. Each finding is a line; \
      notices are no faults. The exit status is 0 where there are no faults.
      """)

  @OptionGroup var misplaced: MisplacedFile
  @OptionGroup var options: DatabaseOptions

  @Flag(help: "Print a JSON object in the place of lines.")
  var json = false

  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try misplaced.refuse()
    let report = try progress.follow { report throws(CareError) in
      try DatabaseCheck.run(path: options.database, progress: report)
    }
    try StandardStream.output.writeLine(json ? report.json : report.lines.joined(separator: "\n"))
    guard report.isSound else { throw ExitCode.failure }
  }
}

extension DatabaseCheck.Report {
  /// A line for each finding, and one that says what it comes to.
  var lines: [String] {
    let told = findings.map { "\($0.kind.isFault ? "fault" : "notice") \($0.kind.rawValue): \($0.text)" }
    let more = omitted.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, count in
      "\(kind.isFault ? "fault" : "notice") \(kind.rawValue): and \(count) more of this kind"
    }
    return told + more + [conclusion]
  }

  private var conclusion: String {
    let range = newestChange.map { " (\(oldestChange ?? $0) to \($0))" } ?? ""
    let contents = "\(documents) documents, \(changes) changes\(range), schema \(version)"
    return isSound ? "\(path) is sound: \(contents)" : "\(path) is not sound: \(faults) faults in \(contents)"
  }

  var json: String {
    var members = [
      "\"path\": \(Self.string(path))", "\"sound\": \(isSound)", "\"schema\": \(version)",
      "\"history\": \(history.map(Self.string) ?? "null")", "\"documents\": \(documents)", "\"changes\": \(changes)",
      "\"oldestChange\": \(oldestChange.map(String.init) ?? "null")",
      "\"newestChange\": \(newestChange.map(String.init) ?? "null")",
      "\"faults\": \(faults)", "\"notices\": \(notices)",
    ]
    let items = findings.map { finding in
      "{\"kind\": \"\(finding.kind.rawValue)\", \"fault\": \(finding.kind.isFault), \"text\": \(Self.string(finding.text))}"
    }
    members.append("\"findings\": [\(items.joined(separator: ", "))]")
    let more = omitted.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\"\($0.key.rawValue)\": \($0.value)" }
    members.append("\"omitted\": {\(more.joined(separator: ", "))}")
    return "{\(members.joined(separator: ", "))}"
  }

  private static func string(_ text: String) -> String {
    var token: [UInt8] = []
    JSONString.encode(text, into: &token)
    return String(decoding: token, as: UTF8.self)
  }
}
