import NIOCore

/// A copy of the database that was made and checked.
public struct StoredBackup: Sendable, Equatable {
  public let name: String
  public let bytes: Int64
  public let created: Timestamp

  public init(name: String, bytes: Int64, created: Timestamp) {
    self.name = name
    self.bytes = bytes
    self.created = created
  }
}

/// What a backup holds that has just been made.
public struct NewBackup: Sendable, Equatable {
  public let file: StoredBackup
  /// The newest change in it.
  public let revision: Revision
  /// The name of its history.
  public let history: String
  /// How many faults the check of it has found; 0 unless these were accepted.
  public let faults: Int

  public init(file: StoredBackup, revision: Revision, history: String, faults: Int = 0) {
    self.file = file
    self.revision = revision
    self.history = history
    self.faults = faults
  }
}

/// The backups of a store, and the one that is being made.
public struct BackupList: Sendable, Equatable {
  public struct Running: Sendable, Equatable {
    public let name: String
    /// How much of the present step is done; nil where that is not known.
    public let percent: Int?

    public init(name: String, percent: Int?) {
      self.name = name
      self.percent = percent
    }
  }

  /// By name.
  public let items: [StoredBackup]
  public let running: Running?
  /// The copy that is there to be fetched, which is none of the items.
  public let fetching: StoredBackup?

  public init(items: [StoredBackup], running: Running? = nil, fetching: StoredBackup? = nil) {
    self.items = items
    self.running = running
    self.fetching = fetching
  }
}

/// A piece of a backup.
public struct BackupPiece: Sendable, Equatable {
  /// The size of the whole.
  public let total: Int64
  public let bytes: ByteBuffer

  /// The largest, in bytes.
  public static let maximumBytes = 384 << 10

  public init(total: Int64, bytes: ByteBuffer) {
    self.total = total
    self.bytes = bytes
  }
}

/// The name of a backup: nothing in it leads out of the folder of backups.
public struct BackupName: Sendable, Hashable {
  public let text: String

  public static let maximumBytes = 100
  private static let letters = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-".utf8)

  /// How files end that SQLite takes for a part of the database beside them.
  public static let companionSuffixes = ["-wal", "-shm", "-journal"]

  /// nil for what is no such name: 1 to 100 letters of ASCII, digits and `.`, `_`, `-`, no point in front, and not ending as
  /// SQLite's own files do.
  public init?(_ text: String) {
    guard (1...Self.maximumBytes).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "."),
      text.utf8.allSatisfy({ Self.letters.contains($0) }), !Self.companionSuffixes.contains(where: text.hasSuffix)
    else { return nil }
    self.text = text
  }
}

/// Copies of the database, made while it is served. A store without a place for them fails with `noBackupFolder`.
public protocol BackupAccess: AnyObject {
  /// Copies everything that was committed when it begins, checks the copy, and puts it on disk: whole, or not at all.
  /// - Parameters:
  ///   - name: nil makes one that is only there to be fetched, under a name of the store's, for as long as it is asked for.
  ///   - acceptsFaults: whether a copy that the check finds faults in is kept all the same.
  func makeBackup(
    named name: BackupName?, acceptingFaults acceptsFaults: Bool,
    completion: @escaping (Result<NewBackup, StoreError>) -> Void)

  func backups(completion: @escaping (Result<BackupList, StoreError>) -> Void)

  /// A piece that begins at an offset; empty behind the end. nil where there is no such backup.
  func readBackup(
    _ name: BackupName, from offset: Int64, completion: @escaping (Result<BackupPiece?, StoreError>) -> Void)

  /// - Parameter completion: takes whether there was such a backup.
  func removeBackup(_ name: BackupName, completion: @escaping (Result<Bool, StoreError>) -> Void)
}
