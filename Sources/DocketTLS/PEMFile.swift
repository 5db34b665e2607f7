import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file of certificates or of a key, as it was at one moment.
struct PEMFile {
  let path: String
  let bytes: [UInt8]
  /// Whether users that are neither its owner nor of its group may read it.
  let isReadableByOthers: Bool

  /// Bundles of all the world's roots have some hundred kB.
  private static let maximumBytes = 16 << 20

  init(_ path: String) throws(TLSFileError) {
    func fail(_ code: Int32) -> TLSFileError { .unreadable(file: path, reason: String(cString: strerror(code))) }
    // Whatever else it is, a pipe say, must not be waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw fail(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw fail(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(file: path, reason: "it is no file") }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= Self.maximumBytes {
      let count = read(descriptor, &piece, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw fail(errno) }
      if count == 0 { break }
      bytes += piece[..<count]
    }
    guard bytes.count <= Self.maximumBytes else {
      throw .unreadable(file: path, reason: "it is larger than \(Self.maximumBytes) bytes")
    }
    self.path = path
    self.bytes = bytes
    isReadableByOthers = status.st_mode & 0o004 != 0
  }

  func certificates() throws(TLSFileError) -> [NIOSSLCertificate] {
    guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
      throw .noCertificate(file: path)
    }
    return certificates
  }

  func key() throws(TLSFileError) -> NIOSSLPrivateKey {
    // PKCS #8 says so in its label, the older forms in a header (RFC 1421, 4.6.1.1).
    guard !contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"), !contains("Proc-Type: 4,ENCRYPTED") else {
      throw .encryptedKey(file: path)
    }
    guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else { throw .noKey(file: path) }
    return key
  }

  private func contains(_ text: String) -> Bool {
    String(decoding: bytes, as: UTF8.self).contains(text)
  }
}
