import DocketTLS
import NIOCore
import NIOSSL

/// TLS as a client speaks it: whom it believes, and what it shows of itself. It is for TCP; a Unix socket stays plain.
public struct ClientTLS: Sendable {
  /// How it is found out who the server is.
  public enum Trust: Sendable, Equatable {
    /// Its certificate is signed by an authority that this machine trusts, and has the name it was called by.
    case systemRoots
    /// The same, with the authorities in a file of PEM, or the server's own certificate.
    case authorities(file: String)
    /// Not at all: whoever answers is believed. Nobody who merely listens reads along, but anybody on the way may be the server.
    case acceptAnyServer
  }

  /// A certificate and its key, in files of PEM.
  public struct Identity: Sendable, Equatable {
    public var certificateFile: String
    public var keyFile: String

    public init(certificateFile: String, keyFile: String) {
      self.certificateFile = certificateFile
      self.keyFile = keyFile
    }
  }

  private let context: NIOSSLContext
  private let verifies: Bool
  private let serverName: String?

  /// Reads the files; blocks.
  /// - Parameters:
  ///   - identity: what is shown to a server that wants to know who its clients are.
  ///   - serverName: the name in the server's certificate, where that is not the one it is connected to by.
  /// - Throws: an error whose description is one line that says what is wrong with the files.
  public init(
    trust: Trust = .systemRoots, identity: Identity? = nil, serverName: String? = nil
  ) throws {
    var file: String?
    if case .authorities(let path) = trust { file = path }
    verifies = trust != .acceptAnyServer
    context = try NIOSSLContext.client(
      authorities: file, verifies: verifies,
      identity: try identity.map { try TLSIdentity(certificateFile: $0.certificateFile, keyFile: $0.keyFile) })
    self.serverName = serverName
    if let serverName, (try? NIOSSLClientHandler(context: context, serverHostname: serverName)) == nil {
      throw InvalidServerName(name: serverName)
    }
  }

  /// For one connection.
  package func makeHandler(for address: ServerAddress) throws -> NIOSSLClientHandler? {
    guard case .tcp(let host, _) = address else { return nil }
    let name = serverName ?? host
    // An address is compared with those in the certificate, and not sent as a name (RFC 6066, 3).
    let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    guard verifies, !isAddress else {
      return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
    }
    return try NIOSSLClientHandler._makeSSLClientHandler(context: context, serverHostname: name) {
      certificate, channel in
      certificate.stands(forHost: name)
        ? channel.eventLoop.makeSucceededVoidFuture()
        : channel.eventLoop.makeFailedFuture(NIOSSLExtraError.failedToValidateHostname)
    }
  }
}

/// A name that no certificate is looked for by.
struct InvalidServerName: Error, CustomStringConvertible {
  let name: String

  var description: String {
    "'\(name)' is no name for --tls-server-name: it must be a host's, and no address"
  }
}
