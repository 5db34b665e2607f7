import DocketStore
import Glibc

/// Where the backups of a database lie.
struct BackupPlaces: Sendable {
  let database: String
  /// The folder of those that are kept; nil: there is none.
  let folder: String?

  private static let copyPrefix = "fetch-"

  init(of database: String, folder: String?) {
    self.database = database
    self.folder = folder
  }

  func path(of name: BackupName) -> String? { folder.map { "\($0)/\(name.text)" } }

  /// A place for a copy that is to be fetched: beside the database, and hidden. There is room, or there is none for a backup
  /// at all.
  func newCopy() -> (name: String, path: String) {
    let name = Self.copyPrefix + String(UInt64.random(in: .min ... .max), radix: 16)
    return (name, databaseFolder + copyStem + name)
  }

  private var databaseFolder: String { Folder.holding(database) }
  private var copyStem: String { ".\(database.split(separator: "/").last ?? "")." }

  /// Removes what an earlier run has left that was to be fetched, or was not whole yet.
  func removeLeftovers() {
    removeCopies()
    PartialFile.removeLeftovers(in: databaseFolder, besides: database)
    if let folder { PartialFile.removeLeftovers(in: folder + "/", besides: database) }
  }

  /// Removes what was to be fetched.
  func removeCopies() {
    for name in Folder.names(in: databaseFolder) where name.hasPrefix(copyStem + Self.copyPrefix) {
      unlink(databaseFolder + name)
    }
  }

  /// By name. What is no backup is left out.
  func list() -> [StoredBackup] {
    guard let folder else { return [] }
    return Folder.names(in: folder).sorted().compactMap { name in
      guard BackupName(name) != nil, case .success(let file?) = BackupFile.open("\(folder)/\(name)", besides: database)
      else { return nil }
      return StoredBackup(name: name, bytes: file.bytes, created: file.made)
    }
  }
}
