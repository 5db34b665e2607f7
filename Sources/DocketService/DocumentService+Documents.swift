import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func readDocument(_ path: DocumentPath, withHeaders: Bool, completion: @escaping (Response) -> Void) {
    session.document(at: path) { result in
      switch result {
      case .success(let document?): completion(Self.found(document, withHeaders: withHeaders))
      case .success(nil): completion(.noDocument)
      case .failure(let error): completion(error.response)
      }
    }
  }

  private static func found(_ document: Document, withHeaders: Bool) -> Response {
    var response = Response(.ok, data: document.data)
    if withHeaders {
      response.headers.append("ETag", document.revision.entityTag)
      response.headers.append("Last-Modified", document.updated.httpDate)
    }
    return response
  }

  func write(_ write: Write, withHeaders: Bool, completion: @escaping (Response) -> Void) {
    session.submit(write) { result in
      switch result {
      case .success(.created(let path, let revision)):
        var response = Self.written(.created, path, revision, withHeaders)
        if withHeaders { response.headers.append("Location", path.requestPath) }
        completion(response)
      case .success(.replaced(let path, let revision)): completion(Self.written(.ok, path, revision, withHeaders))
      case .success(.deleted): completion(Response(.noContent))
      case .success(.notFound): completion(.noDocument)
      case .failure(let error): completion(error.response)
      }
    }
  }

  private static func written(_ status: Status, _ path: DocumentPath, _ revision: Revision, _ withHeaders: Bool)
    -> Response
  {
    var data = ByteBuffer()
    data.writeIdentity(path, revision)
    data.writeStaticString("}")
    return Response(status, data: data, headers: withHeaders ? Headers([("ETag", revision.entityTag)]) : Headers())
  }
}

extension Response {
  fileprivate static var noDocument: Response {
    .error(.notFound, "not_found", "There is no document at this path.")
  }
}

extension Revision {
  /// The revision as a strong entity tag (RFC 9110, section 8.8.3): `"17"`.
  fileprivate var entityTag: String { "\"\(rawValue)\"" }
}
