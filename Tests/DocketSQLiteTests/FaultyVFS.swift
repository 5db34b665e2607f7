import CSQLite
import Glibc

/// SQLite's default file system layer, whose writes to logs can be made to fail.
///
/// `nonisolated(unsafe)`, all of it: its counters change only on the thread of the one test that uses the layer, whose suite is
/// serialized, and the tables are made once and never written to again.
enum FaultyVFS {
  /// How many writes to logs still succeed, in the process; nil: all.
  nonisolated(unsafe) static var writesLeft: Int?
  /// How many writes there were.
  nonisolated(unsafe) static var writes = 0

  nonisolated(unsafe) static let layer: UnsafeMutablePointer<sqlite3_vfs> = {
    let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    layer.initialize(to: sqlite3_vfs_find(nil).pointee)
    layer.pointee.xOpen = { _, name, file, flags, outFlags in
      guard let base = sqlite3_vfs_find(nil), let file else { return SQLITE_CANTOPEN }
      let code = base.pointee.xOpen(base, name, file, flags, outFlags)
      guard code == SQLITE_OK, flags & SQLITE_OPEN_WAL != 0 else { return code }
      if FaultyVFS.original == nil { FaultyVFS.original = file.pointee.pMethods.pointee }
      file.pointee.pMethods = UnsafePointer(FaultyVFS.methods)
      return code
    }
    return layer
  }()

  nonisolated(unsafe) private static var original: sqlite3_io_methods?

  nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
    guard let original else { preconditionFailure("a log was opened before") }
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: original)
    methods.pointee.xWrite = { file, data, length, offset in
      FaultyVFS.writes += 1
      if let left = FaultyVFS.writesLeft {
        guard left > 0 else { return SQLITE_FULL }
        FaultyVFS.writesLeft = left - 1
      }
      return FaultyVFS.original?.xWrite(file, data, length, offset) ?? SQLITE_IOERR
    }
    return methods
  }()
}
