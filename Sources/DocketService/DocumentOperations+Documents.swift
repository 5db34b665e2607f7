import DocketStore
import DocketWire
import NIOCore

extension DocumentOperations {
  func readDocument(
    _ path: DocumentPath, _ condition: Condition?, withHeaders: Bool, completion: @escaping (Response) -> Void
  ) {
    access.document(at: path) { result in
      var response = Self.response(to: result, condition, withHeaders: withHeaders, none: .noDocument)
      if isTrial { response.headers = Headers() }
      completion(response)
    }
  }

  /// - Parameter none: the answer where there is no document.
  static func response(
    to result: Result<Document?, StoreError>, _ condition: Condition?, withHeaders: Bool,
    none: @autoclosure () -> Response
  ) -> Response {
    if let condition, case .success(let document) = result, !condition.holds(for: document?.revision) {
      return unwanted(condition, document)
    }
    switch result {
    case .success(let document?): return found(document, withHeaders: withHeaders)
    case .success(nil): return none()
    case .failure(let error): return error.response
    }
  }

  private static func found(_ document: Document, withHeaders: Bool) -> Response {
    var response = Response(.ok, data: document.data)
    if withHeaders {
      response.headers.append("ETag", document.revision.entityTag)
      response.headers.append("Last-Modified", document.updated.httpDate)
      if let expires = document.expires { response.headers.append("Expires-At", expires.rfc3339) }
    }
    return response
  }

  /// The answer to a GET whose condition does not hold (RFC 9110, section 13.2.2).
  private static func unwanted(_ condition: Condition, _ document: Document?) -> Response {
    switch (condition, document) {
    case (.absent, let document?), (.noneOf, let document?):
      Response(.notModified, headers: Headers([("ETag", document.revision.entityTag)]))
    default: .conditionFailed(document?.revision)
    }
  }

  func write(_ write: Write, _ form: WriteForm, withHeaders: Bool, completion: @escaping (Response) -> Void) {
    // What a dry run would have been numbered is nobody's revision.
    let isDryRun = isTrial || write.terms.isDryRun
    access.submit(write) { result in
      switch result {
      case .success(.created(let path, let revision)):
        var response = Self.written(.created, path, isDryRun ? nil : revision, withHeaders)
        if withHeaders { response.headers.append("Location", path.requestPath) }
        completion(response)
      case .success(.replaced(let path, let revision)):
        completion(Self.written(.ok, path, isDryRun ? nil : revision, withHeaders))
      case .success(.deleted): completion(Response(.noContent))
      case .success(.notFound): completion(.noDocument)
      case .success(.conditionFailed(let current)): completion(.conditionFailed(current))
      case .failure(let error): completion(error.response(form))
      }
    }
  }

  private static func written(_ status: Status, _ path: DocumentPath, _ revision: Revision?, _ withHeaders: Bool)
    -> Response
  {
    var data = ByteBuffer()
    data.writeIdentity(path, revision)
    data.writeStaticString("}")
    guard withHeaders, let revision else { return Response(status, data: data) }
    return Response(status, data: data, headers: Headers([("ETag", revision.entityTag)]))
  }
}

extension Response {
  fileprivate static var noDocument: Response {
    .error(.notFound, "not_found", "There is no document at this path.")
  }

  /// - Parameter current: the document's revision; nil where there is none.
  fileprivate static func conditionFailed(_ current: Revision?) -> Response {
    let state = current.map { "It has revision \($0)" } ?? "There is no document"
    var response = Response.error(
      .preconditionFailed, "precondition_failed",
      "The document is not as If-Match or If-None-Match demands. \(state); read it again and decide anew.",
      member: "revision", current?.rawValue)
    if let current { response.headers.append("ETag", current.entityTag) }
    return response
  }
}

extension Revision {
  /// The revision as a strong entity tag (RFC 9110, section 8.8.3): `"17"`.
  fileprivate var entityTag: String { "\"" + String(rawValue) + "\"" }
}
