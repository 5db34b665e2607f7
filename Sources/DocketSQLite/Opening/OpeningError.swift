import Migrations

/// Why a database file was not opened or not reset. The file is as it was.
public enum OpeningError: Error, Equatable, Sendable {
  // The place

  case directoryMissing(path: String, directory: String)
  case isDirectory(path: String)
  case notRegularFile(path: String)
  /// The file or its directory cannot be written to or looked into; `reason` is the system's.
  case notAccessible(path: String, reason: String)
  case networkFileSystem(path: String, type: String)
  /// The file has several names, of which each would have a lock and a log of its own.
  case hardLinked(path: String, names: Int)
  /// There is no database, or an empty file, but the log of one, which a new database would empty.
  case logWithoutDatabase(path: String)
  /// SQLite makes files beside a database, also to read it.
  case noRoom(path: String)

  // Others who use it

  case alreadyServed(path: String, process: Int32?)
  /// The server that has the file is of another version, whose schema is not known here, or lacks what is needed.
  case servedByAnother(path: String, version: Int, ours: Int)
  /// Another process has the database open, so it cannot be reset, compacted or replaced.
  case inUse(path: String)
  /// Another process held a lock for as long as opening may wait.
  case busy(path: String)

  // The contents

  case notADatabase(path: String)
  case notDocket(path: String)
  /// SQLite finds that its pages do not fit together; `reason` is SQLite's.
  case damaged(path: String, reason: String)
  /// Docket's tables, without the two numbers that mark the file; `.dump` leaves them out.
  case marksMissing(path: String, version: Int)
  case newer(path: String, version: Int, supported: Int)
  /// The file has run migrations that its `user_version` does not count.
  case versionLowered(path: String, version: Int, recorded: Int)
  case migrationAltered(path: String, version: Int, name: String)
  case schemaAltered(path: String, objects: [String])
  /// Anything else that SQLite or the system said.
  case failed(path: String, reason: String)
}

extension OpeningError: CustomStringConvertible {
  /// One line: what is wrong, and how to mend it.
  public var description: String {
    switch self {
    case .directoryMissing(let path, let directory):
      "\(path): the directory \(directory) does not exist; create it, or name another database"
    case .isDirectory(let path):
      "\(path): is a directory; name a file in it, such as \(path)/docket.db"
    case .notRegularFile(let path):
      "\(path): is not a regular file; name another database"
    case .notAccessible(let path, let reason):
      "\(path): \(reason); the user that runs docket must be able to write to the file and to its directory"
    case .networkFileSystem(let path, let type):
      "\(path): lies on a network file system (\(type)), where SQLite's log does not work; use a local disk"
    case .hardLinked(let path, let names):
      """
      \(path): the file has \(names) names (hard links), and what is written under one may be lost under another; while nobody \
      has it open, give it a file of its own: cp -p \(Self.shellWord(path)) \(Self.shellWord(path + ".copy")) && \
      mv \(Self.shellWord(path + ".copy")) \(Self.shellWord(path))
      """
    case .logWithoutDatabase(let path):
      """
      \(path): is missing or empty, but the log of a database that was here is left, and may hold what only it has; put that \
      database back, or give the log another name: mv \(Self.shellWord(path + "-wal")) \(Self.shellWord(path + "-wal.old"))
      """
    case .noRoom(let path):
      "\(path): its disk is full, and SQLite needs some room beside it even to read it; make room and try again"
    case .alreadyServed(let path, let process):
      """
      \(path): is already served\(process.map { " by process \($0)" } ?? ""); stop that server, or name another \
      database
      """
    case .servedByAnother(let path, let version, let ours):
      """
      \(path): is served by a docket of another version, whose files have version \(version), while this one's have \
      \(ours); start the server with this docket, or use that one here
      """
    case .inUse(let path):
      "\(path): another process has the database open; end it (`fuser \(Self.shellWord(path))` names it) and try again"
    case .busy(let path):
      "\(path): another process holds a lock on the database; end its transaction and try again"
    case .notADatabase(let path):
      "\(path): is not an SQLite database; name another file"
    case .notDocket(let path):
      "\(path): is an SQLite database, but not one of Docket's; name another file"
    case .damaged(let path, let reason):
      """
      \(path): is damaged (\(reason)); `docket restore FILE --replace --database \(Self.shellWord(path))` puts a backup in its \
      place and keeps it
      """
    case .marksMissing(let path, let version):
      """
      \(path): has Docket's tables but not the two numbers that mark its files (.dump leaves them out); \
      `docket restore \(Self.shellWord(path)) --database PATH` puts a mended copy in the place of a database, or run: \
      sqlite3 \(Self.shellWord(path)) 'PRAGMA application_id = \(MigrationCatalog.applicationID); \
      PRAGMA user_version = \(version); PRAGMA auto_vacuum = INCREMENTAL; VACUUM'
      """
    case .newer(let path, let version, let supported):
      "\(path): has version \(version), and this docket knows version \(supported) at most; use a newer docket"
    case .versionLowered(let path, let version, let recorded):
      """
      \(path): user_version is \(version), but migration \(recorded) was run; put it right with: \
      sqlite3 \(Self.shellWord(path)) 'PRAGMA user_version = \(recorded)'
      """
    case .migrationAltered(let path, let version, let name):
      """
      \(path): migration \(version) (\(name)) is not the one that this docket contains; \
      use the docket that made the file
      """
    case .schemaAltered(let path, let objects):
      """
      \(path): is not as Docket made it: \(objects.joined(separator: ", ")); undo the change, or restore a backup
      """
    case .failed(let path, let reason):
      "\(path): cannot be opened: \(reason)"
    }
  }

  /// A path as it can be pasted into a shell.
  private static func shellWord(_ path: String) -> String {
    "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
