import DocketService
import DocketWire

/// What the log tells of a request: never its data or the secret of a token, and control characters only escaped.
///
/// It is an object since mostly there is none: a reference is all that unlogged requests carry.
package final class RequestSummary: Sendable {
  package let method: String
  package let path: String
  /// As it stands in the request; nil where there is none.
  package let id: String?

  package init(_ request: Request) {
    id = request.id.map { String(buffer: $0) }
    method = request.method == .other ? "?" : request.method.rawValue
    path = Self.shown(path: String(buffer: request.path))
  }

  /// A path without secrets and control characters.
  package static func shown(path: String) -> String {
    TokenText.masked(path: path).unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029 {
        text += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}
