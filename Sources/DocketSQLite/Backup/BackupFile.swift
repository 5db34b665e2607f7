import DocketStore
import Glibc
import Migrations
import NIOCore

/// A file that is a backup, and is open for reading.
///
/// A folder may hold anything: links, pipes, files of others, the database itself under another name. None of these is opened.
final class BackupFile {
  /// The size, in bytes.
  let bytes: Int64
  /// When it was written.
  let made: Timestamp
  private let descriptor: Int32

  private init(_ descriptor: Int32, _ status: stat) {
    self.descriptor = descriptor
    bytes = Int64(status.st_size)
    made = Timestamp(
      milliseconds: Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
  }

  deinit { close(descriptor) }

  /// - Parameter database: one that is served by this process.
  /// - Returns: nil where there is no backup.
  static func open(_ path: String, of database: String? = nil) -> Result<BackupFile?, StoreError> {
    // Only the name, so that it can be seen what it is: closing the database would drop its locks
    // (https://sqlite.org/howtocorrupt.html, 2.2), and opening a pipe would wait.
    let named = Glibc.open(path, pathOnly | O_NOFOLLOW | O_CLOEXEC)
    guard named >= 0 else { return errno == ENOENT ? .success(nil) : .failure(failure()) }
    defer { close(named) }
    var status = stat()
    guard fstat(named, &status) == 0 else { return .failure(failure()) }
    guard status.st_mode & S_IFMT == S_IFREG, !(database.map { isPart(status, of: $0) } ?? false) else {
      return .success(nil)
    }
    let descriptor = Glibc.open("/proc/self/fd/\(named)", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(failure()) }
    let file = BackupFile(descriptor, status)
    return .success(file.isBackup ? file : nil)
  }

  /// Linux's O_PATH, which Swift does not import (open(2)).
  private static let pathOnly: Int32 = 0o10000000

  private static func isPart(_ status: stat, of database: String) -> Bool {
    ["", "-wal", "-shm", ".lock"].contains { suffix in
      var own = stat()
      return stat(database + suffix, &own) == 0 && own.st_dev == status.st_dev && own.st_ino == status.st_ino
    }
  }

  /// Whether it is a database of Docket's that needs no log, which one that is served has
  /// (https://sqlite.org/fileformat2.html, "The Database Header").
  private var isBackup: Bool {
    var header = [UInt8](repeating: 0, count: 100)
    guard pread(descriptor, &header, header.count, 0) == header.count,
      header.starts(with: "SQLite format 3\0".utf8), header[18] == 1, header[19] == 1
    else { return false }
    return header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == UInt32(MigrationCatalog.applicationID)
  }

  /// What stands behind an offset, as much as a piece may hold; empty behind the end.
  func piece(from offset: Int64) -> Result<BackupPiece, StoreError> {
    guard offset < bytes else { return .success(BackupPiece(total: bytes, bytes: ByteBuffer())) }
    var piece = ByteBuffer()
    var failure: StoreError?
    piece.writeWithUnsafeMutableBytes(minimumWritableBytes: BackupPiece.maximumBytes) { memory in
      let count = pread(descriptor, memory.baseAddress, BackupPiece.maximumBytes, off_t(offset))
      if count < 0 { failure = Self.failure() }
      return max(count, 0)
    }
    return failure.map { .failure($0) } ?? .success(BackupPiece(total: bytes, bytes: piece))
  }

  private static func failure() -> StoreError { .failed(reason: DatabasePath.systemError()) }
}
