import Glibc

/// A folder with the backups of a series, and of whatever else has been put there.
public struct SeriesFolder: Sendable {
  private let folder: String
  private let database: String?

  /// - Parameter database: one that this process may have open, none of whose files is opened; nil: it has none.
  public init(_ folder: String, besides database: String?) {
    self.folder = folder
    self.database = database
  }

  func path(of name: String) -> String { "\(folder)/\(name)" }

  /// Those that are backups and have a name of the series, whosever they are. What only has such a name is nobody's business.
  var names: [String] {
    Folder.names(in: folder).filter { name in
      guard BackupSeries.seconds(of: name) != nil,
        case .success(_?) = BackupFile.open(path(of: name), besides: database)
      else { return false }
      return true
    }
  }

  /// Those of one history.
  func names(of history: String) -> [String] { names.filter { self.history(of: $0) == history } }

  /// Those of any other, or of which it cannot be told.
  func names(besides history: String) -> [String] { names.filter { self.history(of: $0) != history } }

  /// The name of the history that a backup has; nil: it cannot be read.
  func history(of name: String) -> String? {
    // Whoever serves it, or changes it, has made it something else than a backup. (SQLite itself drops no locks of a database
    // that somebody links to this place meanwhile.)
    guard let connection = try? Connection(immutable: path(of: name)) else { return nil }
    defer { connection.close() }
    return try? connection.string(Self.question)
  }

  /// The name of the history that a database has, which may be served; nil: it cannot be read.
  public static func history(ofDatabase path: String) -> String? {
    guard let connection = try? ReadableFile(path).connect() else { return nil }
    defer { connection.close() }
    return try? connection.string(question)
  }

  private static let question = "SELECT value FROM properties WHERE name = 'history_id'"
}
