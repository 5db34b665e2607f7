#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The file of a unix socket, which outlives a server that was killed.
enum UnixSocketFile {
  /// Removes a socket that nobody listens on; one that somebody does is left alone, and so is any other file.
  static func makeRoom(at path: String) throws(ListenError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
    guard !isLive(path) else { throw .socketIsLive(path: path) }
    guard unlink(path) == 0 else {
      throw .other(.unixSocket(path: path), reason: String(cString: strerror(errno)))
    }
  }

  private static func isLive(_ path: String) -> Bool {
    #if canImport(Glibc) || canImport(Musl)
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < capacity else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    // A full backlog refuses with EAGAIN, but somebody listens.
    return result == 0 || errno == EAGAIN
  }
}
