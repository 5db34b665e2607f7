import Glibc

/// Where a database that may be written lies, symbolic links followed, so that every name of a file leads to the same lock and
/// log. A file with hard links is refused.
struct DatabasePath: Equatable {
  let file: String

  var lock: String { file + DatabaseBelongings.lockSuffix }
  var log: String { file + "-wal" }
  var sharedMemory: String { file + "-shm" }
  var journal: String { file + "-journal" }
  var folder: String { Self.directory(of: file) }

  /// Resolves a name, whose file need not exist, and checks that a database can live there.
  init(resolving name: String) throws(OpeningError) {
    file = try Self.followLinks(name)
    let directory = Self.directory(of: file)
    if let network = FileSystem.networkType(at: directory) {
      throw .networkFileSystem(path: file, type: network)
    }
    guard access(directory, W_OK | X_OK) == 0 else {
      throw .notAccessible(path: file, reason: "directory \(directory): " + Self.systemError())
    }
    var status = stat()
    guard stat(file, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .isDirectory(path: file)
    default: throw .notRegularFile(path: file)
    }
    guard access(file, R_OK | W_OK) == 0 else {
      throw .notAccessible(path: file, reason: Self.systemError())
    }
    // Each name has a lock and a log of its own, so two servers could have the file, and neither would see what the other writes.
    guard status.st_nlink <= 1 else { throw .hardLinked(path: file, names: Int(status.st_nlink)) }
  }

  /// The size of the file in bytes; nil if there is none.
  var size: Int? { Self.size(of: file) }

  /// The size of its log in bytes; nil if there is none.
  var logSize: Int? { Self.size(of: log) }

  /// Throws where a database is missing or empty and its log is not: SQLite would take the log for a stranger's and empty it.
  func checkLogHasDatabase() throws(OpeningError) {
    guard size ?? 0 > 0 || logSize ?? 0 == 0 else { throw .logWithoutDatabase(path: file) }
  }

  private static func size(of file: String) -> Int? {
    var status = stat()
    return stat(file, &status) == 0 ? Int(status.st_size) : nil
  }

  /// What the last failed call of the system said.
  static func systemError() -> String { String(cString: strerror(errno)) }

  private static func followLinks(_ name: String) throws(OpeningError) -> String {
    var name = name
    // As many links as Linux itself follows.
    for _ in 0..<40 {
      if let resolved = real(name) { return resolved }
      guard errno == ENOENT else { throw .notAccessible(path: name, reason: systemError()) }
      let directory = directory(of: name)
      guard let resolvedDirectory = real(directory) else {
        throw .directoryMissing(path: name, directory: directory)
      }
      let last = String(name.split(separator: "/", omittingEmptySubsequences: false).last ?? "")
      guard !last.isEmpty, last != "..", last != "." else { throw .isDirectory(path: name) }
      let prefix = resolvedDirectory == "/" ? "/" : resolvedDirectory + "/"
      // A link that leads nowhere yet: the file will be made where it points.
      guard let target = linkTarget(prefix + last) else { return prefix + last }
      name = target.hasPrefix("/") ? target : prefix + target
    }
    throw .notAccessible(path: name, reason: String(cString: strerror(ELOOP)))
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func real(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func linkTarget(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
