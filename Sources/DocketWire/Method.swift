/// What a request asks to be done, named as in HTTP (RFC 9110, section 9; PATCH: RFC 5789). Names are case-sensitive.
public enum Method: String, Sendable, CaseIterable {
  case get = "GET"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  /// Any other text.
  case other = ""

  init(_ name: UnsafeRawBufferPointer) {
    switch name.count {
    case 3 where name.isText("GET"): self = .get
    case 3 where name.isText("PUT"): self = .put
    case 4 where name.isText("POST"): self = .post
    case 5 where name.isText("PATCH"): self = .patch
    case 6 where name.isText("DELETE"): self = .delete
    default: self = .other
    }
  }
}
