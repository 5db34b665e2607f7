import DocketClient
import Glibc
import Synchronization

/// The access token that a command shows to its server.
///
/// There is no option for the token itself, since what stands on a command line is seen by all who use the machine (ps(1)).
enum GivenToken {
  static let variable = "DOCKET_TOKEN"
  /// What to do where a server wants one, or another one.
  static let hint =
    "set \(variable) to a token, or --token-file to a file with one, that docket token create has made"

  /// What files held, by their paths: one may be a pipe, and a command may open more than one client.
  private static let read = Mutex<[String: String]>([:])
  private static let maximumBytes = 4096
  private static let isCleartextTold = Mutex(false)

  /// - Parameter file: is preferred to the variable.
  /// - Returns: nil where no token is given.
  /// - Throws: `CommandFailure`; the token is never a part of it.
  static func find(file: String?, environment: [String: String]) throws(CommandFailure) -> String? {
    if let file { return try token(inFile: file) }
    guard let text = environment[variable], !text.isEmpty else { return nil }
    guard let token = token(in: text) else {
      throw CommandFailure("\(variable) holds no token: \(looks)", status: .usage)
    }
    return token
  }

  /// Says once that the token goes to a server in such a way that others can read it.
  static func warnOfCleartext(to address: ServerAddress) {
    let isTold = isCleartextTold.withLock { isTold in
      defer { isTold = true }
      return isTold
    }
    guard !isTold else { return }
    try? StandardStream.error.writeLine(
      "docket: the token goes to \(address) without TLS, and whoever is on the way can read it; add --tls, or --allow-cleartext if something else encrypts the way"
    )
  }

  private static func token(inFile path: String) throws(CommandFailure) -> String {
    try read.withLock { (known) throws(CommandFailure) in
      if let token = known[path] { return token }
      let (text, isReadableByOthers) = try content(path)
      guard let token = token(in: text) else { throw CommandFailure("\(path) holds no token: \(looks)") }
      known[path] = token
      if isReadableByOthers {
        try? StandardStream.error.writeLine(
          "docket: everybody on this machine may read \(path), and use the token in it; mend it with: chmod 600 \(path)"
        )
      }
      return token
    }
  }

  private static func content(_ path: String) throws(CommandFailure) -> (text: String, isReadableByOthers: Bool) {
    func failure() -> CommandFailure {
      CommandFailure("cannot read the token in \(path): \(String(cString: strerror(errno)))")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure() }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: maximumBytes)
    while bytes.count <= maximumBytes {
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      if count == 0 { break }
      bytes += piece[..<count]
    }
    // The modes of a pipe or a terminal say nothing.
    let isFile = status.st_mode & S_IFMT == S_IFREG
    return (String(decoding: bytes, as: UTF8.self), isFile && status.st_mode & 0o004 != 0)
  }

  /// The one word of a text, as RFC 6750, section 2.1, writes a token, so that it needs no escapes in a frame.
  private static func token(in text: String) -> String? {
    let words = text.utf8.split { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard let word = words.first, words.count == 1, word.count < maximumBytes,
      word.allSatisfy({ letters.contains($0) })
    else { return nil }
    return String(Substring(word))
  }

  private static let looks = "one is a single word, docket_…, which docket token create prints"
  private static let letters = Set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=".utf8)
}
