import DocketService
import DocketWire

/// What the log tells of a request: never its data or the secret of a token, and control characters only escaped.
///
/// It is an object since mostly there is none: a reference is all that unlogged requests carry.
final class RequestSummary: Sendable {
  let method: String
  let path: String

  init(_ request: Request) {
    method = request.method == .other ? "?" : request.method.rawValue
    path = TokenText.masked(String(buffer: request.path)).unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029 {
        text += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}
