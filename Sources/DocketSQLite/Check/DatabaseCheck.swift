import CSQLite
import Migrations

/// Whether a database file is sound: as SQLite wrote it, and as Docket keeps it.
///
/// It reads in one snapshot, also beside a server, and changes nothing. It takes time in proportion to the file, and memory
/// for SQLite's pages and a bit or three for each change, a hundredth of the file's size and 10 MiB at most.
public enum DatabaseCheck {
  /// - Parameters:
  ///   - name: a path; symbolic links are followed.
  ///   - progress: is told how far it is, on the caller's thread; it ends the check, with `CareError.stopped`, by returning false.
  /// - Throws: what keeps the file from being looked into. What is found in it is in the report.
  public static func run(
    path name: String, progress: (CareProgress) -> Bool = { _ in true }
  ) throws(CareError) -> Report {
    try run(path: name, migrations: MigrationCatalog.migrations, progress: progress)
  }

  package static func run(
    path name: String, migrations: [Migration], progress: (CareProgress) -> Bool = { _ in true }
  ) throws(CareError) -> Report {
    try withoutActuallyEscaping(progress) { progress throws(CareError) in
      try run(path: name, migrations: migrations, following: CareFollower(progress))
    }
  }

  /// The same as a part of something else that takes long.
  static func run(
    path name: String, migrations: [Migration] = MigrationCatalog.migrations, following follower: CareFollower
  ) throws(CareError) -> Report {
    let file = try ReadableFile(name)
    return try CareError.translating(path: file.path) {
      let connection = try file.connect()
      defer { connection.close() }
      return try follower.following(connection) {
        var run = CheckRun(connection, path: file.path, migrations: migrations, follower: follower)
        return try run.report()
      }
    }
  }
}

extension DatabaseCheck {
  /// What was found.
  public struct Report: Sendable, Equatable {
    public let path: String
    /// The version of the schema, by its mark or else by the record of its migrations.
    public internal(set) var version = 0
    /// The name of the file's history; nil where it has none.
    public internal(set) var history: String?
    public internal(set) var documents: Int64 = 0
    public internal(set) var changes: Int64 = 0
    /// The oldest change that is kept; nil where there is none.
    public internal(set) var oldestChange: Int64?
    public internal(set) var newestChange: Int64?
    /// In the order in which they were found, of each kind so many at most.
    public internal(set) var findings: [Finding] = []
    /// How many more there are of a kind.
    public internal(set) var omitted: [Finding.Kind: Int] = [:]

    init(path: String) {
      self.path = path
    }

    /// Whether there are no faults; notices are none.
    public var isSound: Bool { !findings.contains { $0.kind.isFault } }

    public var faults: Int { count { $0.isFault } }
    public var notices: Int { count { !$0.isFault } }

    private func count(_ isMeant: (Finding.Kind) -> Bool) -> Int {
      findings.count { isMeant($0.kind) } + omitted.reduce(0) { $0 + (isMeant($1.key) ? $1.value : 0) }
    }

    mutating func add(_ kind: Finding.Kind, _ text: String) {
      // A name may hold anything, where it was written past the door.
      let line = Finding.printable(text)
      guard findings.count(where: { $0.kind == kind }) < Finding.limit else { return omitted[kind, default: 0] += 1 }
      findings.append(Finding(kind: kind, text: line))
    }
  }

  /// One thing that is not as it should be, or that operators should know of.
  public struct Finding: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
      /// What SQLite's own check of the file's pages and indexes says.
      case pages
      /// The numbers and names that mark a file as Docket's.
      case marks
      /// The tables, views and triggers of Docket, and the records of its migrations.
      case schema
      /// Settings of collections that cannot be read.
      case settings
      /// What the settings need in the schema.
      case index
      /// What is kept for searches of words.
      case text
      /// Documents that have the same of what is unique.
      case unique
      /// Documents whose data is no JSON, or too deep.
      case data
      /// Collections and ids that are no paths.
      case path
      /// Documents that do not agree with their newest change.
      case revision
      /// Documents that are gone, and the change that ended them.
      case tombstone
      /// Changes that do not agree with the one before of the same document.
      case chain
      /// Numbers of changes that are missing.
      case sequence
      /// Times that go back.
      case time
      /// Changes of batches.
      case batch
      /// What is kept under idempotency keys.
      case answer
      /// Tokens that nobody can show, and the count that keeps a server shut.
      case token
      /// Not a fault: what Docket did not make.
      case foreign
      /// Not a fault: versions in history that cannot be read.
      case version
      /// Not a fault: what the next start of the server, or `docket compact`, puts right.
      case upkeep

      public var isFault: Bool {
        switch self {
        case .foreign, .version, .upkeep: false
        default: true
        }
      }
    }

    public let kind: Kind
    /// One line.
    public let text: String

    /// So many of each kind are told at most.
    public static let limit = 100

    /// Control characters as `\u{…}`, so that a line stays one.
    public static func printable(_ text: String) -> String {
      guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }) else {
        return text
      }
      return text.unicodeScalars.reduce(into: "") { line, scalar in
        if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
          line += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          line.unicodeScalars.append(scalar)
        }
      }
    }
  }
}
