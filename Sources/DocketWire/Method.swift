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
    case 3 where name.elementsEqual("GET".utf8): self = .get
    case 3 where name.elementsEqual("PUT".utf8): self = .put
    case 4 where name.elementsEqual("POST".utf8): self = .post
    case 5 where name.elementsEqual("PATCH".utf8): self = .patch
    case 6 where name.elementsEqual("DELETE".utf8): self = .delete
    default: self = .other
    }
  }
}
