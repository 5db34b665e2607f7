import NIOCore
import NIOSSL

extension NIOSSLCertificate {
  /// Whether it stands for a host's name (RFC 6125, section 6.4). A certificate that names neither hosts nor addresses says nothing
  /// here; NIOSSL compares its common name.
  ///
  /// NIOSSL is also content with the address that a connection leads to, where a name was asked for. But whoever leads a name
  /// elsewhere may well have a certificate for an address of his own.
  package func stands(forHost name: String) -> Bool {
    let names = _subjectAlternativeNames()
    guard names.contains(where: { $0.nameType == .dnsName || $0.nameType == .ipAddress }) else { return true }
    return names.contains { $0.nameType == .dnsName && Self.pattern(Array($0.contents), covers: name) }
  }

  /// Whether a name in a certificate is this one, or `*.` and what is behind its first label.
  private static func pattern(_ pattern: [UInt8], covers name: String) -> Bool {
    func labels(_ text: some StringProtocol) -> [Substring] {
      var labels = text.lowercased()[...].split(separator: ".", omittingEmptySubsequences: false)
      // A point at the end says that the name is whole.
      if labels.last == "" { labels.removeLast() }
      return labels
    }
    guard let text = String(validating: pattern, as: UTF8.self) else { return false }
    let (own, asked) = (labels(text), labels(name))
    guard own.count == asked.count, own.count > 0 else { return false }
    if own == asked { return true }
    return own.count > 2 && own[0] == "*" && own.dropFirst() == asked.dropFirst()
  }
}
