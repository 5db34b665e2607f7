import CSQLite
import Glibc

/// The room on the disk for a copy.
struct BackupRoom {
  /// The file that it is for.
  private let path: String
  private let folder: String
  private let spareBytes: Int64

  /// What stays free on the database's own disk, in bytes: its log grows while it is copied, and its writers must not be the
  /// ones who find the disk full.
  static let databaseSpareBytes: Int64 = 64 << 20

  /// - Parameter database: the file that is copied, if it is on this machine.
  init(for path: String, in folder: String, besides database: String? = nil) {
    self.path = path
    self.folder = folder
    spareBytes = database.map { Self.device(of: $0) == Self.device(of: folder) } == true ? Self.databaseSpareBytes : 0
  }

  /// - Parameter bytes: what is still to be written.
  func check(_ bytes: Int64) throws(BackupError) {
    guard let free = freeBytes, free < bytes + spareBytes else { return }
    throw .noRoom(path: path, needed: bytes + spareBytes, free: free)
  }

  /// The error for a write that the system refused; nil where that was not for want of room.
  /// - Parameters:
  ///   - code: its `errno`.
  ///   - needed: the size of the whole, in bytes.
  ///   - written: how large the file has become.
  func shortage(_ code: Int32, needed: Int64, written: Int64) -> BackupError? {
    switch code {
    case ENOSPC, EDQUOT: .noRoom(path: path, needed: max(needed - written, 0) + spareBytes, free: freeBytes ?? 0)
    // No file may be larger here, whatever is free.
    case EFBIG: .noRoom(path: path, needed: needed, free: written)
    default: nil
    }
  }

  /// nil where the system does not tell.
  private var freeBytes: Int64? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0, status.f_blocks > 0 else { return nil }
    return Int64(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
  }

  private static func device(of path: String) -> dev_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_dev : nil
  }
}
