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

  /// - Parameter database: one that this process may have open, none of whose files is opened; nil: it has none.
  /// - Returns: nil where there is no backup.
  static func open(_ path: String, besides database: String?) -> Result<BackupFile?, StoreError> {
    guard let named = FileReference(path) else { return errno == ENOENT ? .success(nil) : .failure(failure()) }
    guard let status = named.status else { return .failure(failure()) }
    guard status.st_mode & S_IFMT == S_IFREG, !(database.map(named.isPart) ?? false) else { return .success(nil) }
    let descriptor = named.open(O_RDONLY)
    guard descriptor >= 0 else { return .failure(failure()) }
    let file = BackupFile(descriptor, status)
    return .success(file.isBackup ? file : nil)
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
