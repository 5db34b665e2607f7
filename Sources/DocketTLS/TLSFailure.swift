import NIOCore
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What errors of TLS say to a person.
package enum TLSFailure {
  /// Why a server's handshake came to nothing.
  /// - Parameter peer: what the client showed, if it did.
  package static func reasonAtServer(_ error: any Error, peer: NIOSSLCertificate?) -> String {
    guard case NIOSSLError.handshakeFailed(let failure) = error, let name = name(failure) else {
      return reason(error, peer: peer)
    }
    if refusals[name] != nil {
      return "the client does not accept the server's certificate, or its handshake (\(name))"
    }
    guard name == "CERTIFICATE_VERIFY_FAILED" else { return reason(error, peer: peer) }
    return peer.flatMap(outOfDate).map { "the client shows a certificate that \($0)" }
      ?? "the client's certificate is signed by nobody in the file of --tls-client-ca"
  }

  /// Why a client's handshake came to nothing, or a connection to its end.
  /// - Parameter peer: what the other side showed, if it did.
  package static func reason(_ error: any Error, peer: NIOSSLCertificate?) -> String {
    switch error {
    case NIOSSLError.handshakeFailed(let failure): reason(failure, peer)
    case let failure as BoringSSLError: reason(failure, peer)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname: otherName(peer)
    case NIOSSLError.unableToValidateCertificate: "its certificate cannot be verified"
    case let error as IOError: String(cString: strerror(error.errnoCode))
    default: "\(error)"
    }
  }

  /// Whether the other side has said by this that it does not accept the certificate it was shown, or misses one. A client of
  /// TLS 1.3 hears of it when its own part of the handshake is over (RFC 8446, 4.4.2.4).
  package static func isRefusalOfCertificate(_ error: any Error) -> Bool {
    guard let name = (error as? BoringSSLError).flatMap(name) else { return false }
    return refusals[name] != nil
  }

  private static let refusals = [
    "TLSV1_ALERT_CERTIFICATE_REQUIRED": "it wants a client's certificate (--tls-client-certificate, --tls-client-key)",
    "SSLV3_ALERT_HANDSHAKE_FAILURE":
      "it refuses the handshake; perhaps it wants a client's certificate (--tls-client-certificate, --tls-client-key)",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know who has signed the client's certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept the client's certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept the client's certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the client's certificate has expired",
    "TLSV1_ALERT_ACCESS_DENIED": "it does not accept the client's certificate",
    "TLSV1_ALERT_DECRYPT_ERROR": "it does not accept the client's certificate",
  ]

  private static func reason(_ failure: BoringSSLError, _ peer: NIOSSLCertificate?) -> String {
    if case .sslError(let stack) = failure, stack.contains(.eofDuringHandshake) {
      return "the connection was closed during the TLS handshake"
    }
    guard let name = name(failure) else { return "TLS failed: \(failure)" }
    if let refusal = refusals[name] { return refusal }
    return switch name {
    case "CERTIFICATE_VERIFY_FAILED": unverified(peer)
    case "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST": "the other side does not speak TLS"
    case "UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION": "the two sides have no version of TLS in common"
    case "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client has shown no certificate"
    default: "TLS failed: \(name)"
    }
  }

  /// The first name in BoringSSL's errors: `error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at …`.
  private static func name(_ failure: BoringSSLError) -> String? {
    guard case .sslError(let stack) = failure, let first = stack.first else { return nil }
    let parts = "\(first)".split(separator: ":")
    guard let library = parts.firstIndex(of: "OPENSSL_internal"), library + 1 < parts.count else { return nil }
    return String(parts[library + 1].prefix { $0 != " " })
  }

  private static func unverified(_ peer: NIOSSLCertificate?) -> String {
    guard let peer else { return "its certificate cannot be verified" }
    if let fault = outOfDate(peer) { return "its certificate \(fault)" }
    return "its certificate is signed by nobody who is trusted here; name the authority's certificate (--tls-ca)"
  }

  private static func outOfDate(_ certificate: NIOSSLCertificate) -> String? {
    let now = time(nil)
    if certificate.notValidAfter < now {
      return "has expired on \(day(certificate.notValidAfter)); it needs a new one"
    }
    guard certificate.notValidBefore > now else { return nil }
    return "is not valid before \(day(certificate.notValidBefore)); is the clock of this machine right?"
  }

  private static func otherName(_ peer: NIOSSLCertificate?) -> String {
    let names = peer.map(Self.names) ?? []
    let shown = names.isEmpty ? "none" : names.prefix(5).joined(separator: ", ")
    return
      "its certificate has another name (\(shown)); connect by one of its own, or say which is meant (--tls-server-name)"
  }

  /// The names and addresses for which a certificate stands.
  private static func names(_ certificate: NIOSSLCertificate) -> [String] {
    certificate._subjectAlternativeNames().compactMap { name in
      switch name.nameType {
      case .dnsName: String(decoding: name.contents, as: UTF8.self)
      case .ipAddress where name.contents.count == 4: name.contents.map { "\($0)" }.joined(separator: ".")
      default: nil
      }
    }
  }

  /// `2026-11-23`
  package static func day(_ seconds: Int) -> String {
    var seconds = time_t(seconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))"
  }
}
