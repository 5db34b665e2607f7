import CSQLite
import Glibc

/// SQLite's own file system layer, but for one thing: the frames of a commit are gathered in memory, and written to the
/// write-ahead log in large pieces with the last of them.
///
/// SQLite makes two small writes for each page of a commit, a header of 24 bytes and the page, each a system call; a
/// commit of many pages spends a third of its time in them. They follow each other, so they can go together. The last
/// frame of a commit is marked in its header; readers are told of the commit only behind it (sqlite3WalFrames in
/// https://sqlite.org/src/file/src/wal.c), so they find in the file what they look for, and an error of writing is
/// SQLite's to deal with, as if there was no such layer. What does not go behind the end of what is there, a log that is
/// begun anew or a frame that is written once more, is not gathered.
///
/// Sources: https://sqlite.org/vfs.html, https://sqlite.org/c3ref/io_methods.html
enum LogGatheringVFS {
  /// The name under which it is registered over SQLite's default layer; nil if it cannot be.
  static let name: String? = {
    guard let base = sqlite3_vfs_find(nil), register(as: "docket-gathering", over: base) else { return nil }
    return "docket-gathering"
  }()

  /// To be called for each connection that was opened through the layer, before its first transaction.
  static func attach(to connection: OpaquePointer) {
    GatheredLog.discardAfterRollback(of: connection)
  }

  /// Registers the layer over another one, for as long as the process lives.
  static func register(as name: String, over base: UnsafeMutablePointer<sqlite3_vfs>) -> Bool {
    let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    // All but opening is the base's: its functions look at nothing of the layer that is not copied from it.
    layer.initialize(to: base.pointee)
    layer.pointee.pNext = nil
    layer.pointee.zName = UnsafePointer(strdup(name))
    layer.pointee.pAppData = UnsafeMutableRawPointer(base)
    layer.pointee.szOsFile = Int32(GatheredLog.headerBytes) + base.pointee.szOsFile
    layer.pointee.xOpen = LogGatheringVFS.open
    return sqlite3_vfs_register(layer, 0) == SQLITE_OK
  }

  /// Opens a log as one that gathers, and everything else as the base does.
  private static let open:
    @convention(c) (
      UnsafeMutablePointer<sqlite3_vfs>?, UnsafePointer<CChar>?, UnsafeMutablePointer<sqlite3_file>?, Int32,
      UnsafeMutablePointer<Int32>?
    ) -> Int32 = { layer, name, file, flags, outFlags in
      guard let base = layer?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self), let file else {
        return SQLITE_CANTOPEN
      }
      guard flags & SQLITE_OPEN_WAL != 0 else { return base.pointee.xOpen(base, name, file, flags, outFlags) }
      let code = base.pointee.xOpen(base, name, GatheredLog.inner(of: file), flags, outFlags)
      file.pointee.pMethods = nil
      if code == SQLITE_OK { GatheredLog.attach(to: file) }
      return code
    }
}

/// What of a log was written by SQLite and not yet by the file system.
private final class GatheredLog {
  /// What of the memory that SQLite gives for a file is the layer's: its methods, and the reference to this. Behind it
  /// is what the base has of the file.
  static let headerBytes = 2 * MemoryLayout<UnsafeRawPointer>.stride

  /// More than this is not gathered.
  private static let capacity = 1 << 20
  /// The base takes no more at once: it masks lengths with 0x1FFFF (seekAndWriteFd in os_unix.c). A whole number of
  /// pages of memory.
  private static let pieceBytes = 124 << 10

  private let inner: UnsafeMutablePointer<sqlite3_file>
  private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4_096)
  private var start: sqlite3_int64 = 0
  private var count = 0

  private init(inner: UnsafeMutablePointer<sqlite3_file>) {
    self.inner = inner
  }

  deinit { bytes.deallocate() }

  static func inner(of file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<sqlite3_file> {
    (UnsafeMutableRawPointer(file) + headerBytes).assumingMemoryBound(to: sqlite3_file.self)
  }

  static func attach(to file: UnsafeMutablePointer<sqlite3_file>) {
    let log = Unmanaged.passRetained(GatheredLog(inner: inner(of: file)))
    (UnsafeMutableRawPointer(file) + MemoryLayout<UnsafeRawPointer>.stride)
      .storeBytes(of: log.toOpaque(), as: UnsafeMutableRawPointer.self)
    file.pointee.pMethods = UnsafePointer(methods)
  }

  private static func reference(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Unmanaged<GatheredLog> {
    guard let file else { preconditionFailure("SQLite calls a method of a file with the file") }
    let opaque = (UnsafeMutableRawPointer(file) + MemoryLayout<UnsafeRawPointer>.stride)
      .load(as: UnsafeMutableRawPointer.self)
    return Unmanaged.fromOpaque(opaque)
  }

  private static func log(_ file: UnsafeMutablePointer<sqlite3_file>?) -> GatheredLog {
    reference(file).takeUnretainedValue()
  }

  // MARK: What SQLite asks of the log

  private var base: sqlite3_io_methods { inner.pointee.pMethods.pointee }

  /// Where what was written last to its end ends: only what is written there is gathered.
  private var end: sqlite3_int64 = 0
  /// Whether the frame whose header was gathered last is the last of its commit.
  private var isLastFrame = false

  /// A frame's header: page number, then the size of the database in pages if a commit ends with it, otherwise 0
  /// (https://sqlite.org/fileformat.html#walformat).
  private static let frameHeaderBytes: Int32 = 24
  private static let sizeOffset = 4

  private func write(_ data: UnsafeRawPointer, _ length: Int32, at offset: sqlite3_int64) -> Int32 {
    guard offset == end, offset > 0, Int(length) <= Self.capacity else {
      let code = flush()
      guard code == SQLITE_OK else { return code }
      // A log is begun anew with its header; other writes before its end leave that where it is.
      end = offset == 0 ? Int64(length) : max(end, offset + Int64(length))
      isLastFrame = Self.isLastFrame(data, length)
      return base.xWrite(inner, data, length, offset)
    }
    if count + Int(length) > Self.capacity {
      let code = flush()
      guard code == SQLITE_OK else { return code }
    }
    if count == 0 { start = offset }
    (bytes.baseAddress! + count).copyMemory(from: data, byteCount: Int(length))
    count += Int(length)
    end += Int64(length)
    // A header that SQLite has written once more, for its checksum, has no page behind it: the next header counts.
    if length == Self.frameHeaderBytes {
      isLastFrame = Self.isLastFrame(data, length)
    } else if isLastFrame {
      isLastFrame = false
      return flush()
    }
    return SQLITE_OK
  }

  /// Whether this is the header of the last frame of a commit, whose page follows.
  private static func isLastFrame(_ data: UnsafeRawPointer, _ length: Int32) -> Bool {
    length == frameHeaderBytes && data.loadUnaligned(fromByteOffset: sizeOffset, as: UInt32.self) != 0
  }

  /// Forgets what a transaction wrote that was undone: another process may commit to the same place of the log now.
  private func discard() {
    guard count > 0 else { return }
    count = 0
    end = start
    isLastFrame = false
  }

  /// Has the log of a connection forget what its transactions wrote that are undone
  /// (https://sqlite.org/c3ref/commit_hook.html).
  static func discardAfterRollback(of connection: OpaquePointer) {
    sqlite3_rollback_hook(
      connection,
      { connection in
        guard let connection, let file = docket_log_file(OpaquePointer(connection)),
          file.pointee.pMethods == UnsafePointer(GatheredLog.methods)
        else { return }
        GatheredLog.log(file).discard()
      }, UnsafeMutableRawPointer(connection))
  }

  /// Has the base write what was gathered.
  ///
  /// If that fails the rest is forgotten: SQLite is told so and undoes the transaction. Were it written later, the mark
  /// of a commit that has failed could get into the log, and a crash before it is overwritten would bring it to life.
  private func flush() -> Int32 {
    defer { count = 0 }
    var done = 0
    while done < count {
      let piece = min(count - done, Self.pieceBytes)
      let code = base.xWrite(inner, bytes.baseAddress! + done, Int32(piece), start + Int64(done))
      guard code == SQLITE_OK else { return code }
      done += piece
    }
    return SQLITE_OK
  }

  private func read(_ data: UnsafeMutableRawPointer?, _ length: Int32, at offset: sqlite3_int64) -> Int32 {
    if count > 0, offset < start + Int64(count), start < offset + Int64(length) {
      let code = flush()
      guard code == SQLITE_OK else { return code }
    }
    return base.xRead(inner, data, length, offset)
  }

  private func afterFlush(_ body: (sqlite3_io_methods) -> Int32) -> Int32 {
    let code = flush()
    return code == SQLITE_OK ? body(base) : code
  }

  // MARK: Methods

  /// Version 1 has all that is asked of a log: shared memory and mapping belong to the database file.
  ///
  /// `nonisolated(unsafe)`: a pointer is not `Sendable`; this one is made once, under Swift's own lock for such
  /// properties, and nobody writes to the table behind it, which lives as long as the process.
  nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    var table = sqlite3_io_methods()
    table.iVersion = 1
    table.xClose = { file in
      let reference = GatheredLog.reference(file)
      let log = reference.takeUnretainedValue()
      // What is left is of a transaction that was not committed.
      log.discard()
      let code = log.base.xClose(log.inner)
      reference.release()
      return code
    }
    table.xRead = { file, data, length, offset in GatheredLog.log(file).read(data, length, at: offset) }
    table.xWrite = { file, data, length, offset in
      guard let data else { return SQLITE_IOERR }
      return GatheredLog.log(file).write(data, length, at: offset)
    }
    table.xTruncate = { file, size in
      let log = GatheredLog.log(file)
      return log.afterFlush { $0.xTruncate(log.inner, size) }
    }
    table.xSync = { file, flags in
      let log = GatheredLog.log(file)
      return log.afterFlush { $0.xSync(log.inner, flags) }
    }
    table.xFileSize = { file, size in
      let log = GatheredLog.log(file)
      return log.afterFlush { $0.xFileSize(log.inner, size) }
    }
    table.xLock = { file, level in
      let log = GatheredLog.log(file)
      return log.base.xLock(log.inner, level)
    }
    table.xUnlock = { file, level in
      let log = GatheredLog.log(file)
      return log.base.xUnlock(log.inner, level)
    }
    table.xCheckReservedLock = { file, result in
      let log = GatheredLog.log(file)
      return log.base.xCheckReservedLock(log.inner, result)
    }
    table.xFileControl = { file, operation, argument in
      let log = GatheredLog.log(file)
      return log.base.xFileControl(log.inner, operation, argument)
    }
    table.xSectorSize = { file in
      let log = GatheredLog.log(file)
      return log.base.xSectorSize(log.inner)
    }
    table.xDeviceCharacteristics = { file in
      let log = GatheredLog.log(file)
      return log.base.xDeviceCharacteristics(log.inner)
    }
    methods.initialize(to: table)
    return methods
  }()
}
