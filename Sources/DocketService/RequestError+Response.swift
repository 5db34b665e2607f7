import DocketJSON
import DocketWire

extension RequestError {
  /// On a one-shot session, and on the original routes, an error has no data, as the original server answers.
  public func response(onPersistentSession isPersistent: Bool) -> Response {
    let response = self.response
    guard !isPersistent && !namesDocument else { return response }
    return Response(response.status)
  }

  private var response: Response {
    switch reason {
    case .json(let error):
      .error(.unprocessable, "invalid_json", "The request is not JSON that is taken here: \(error).")
    case .notAnObject:
      .error(.unprocessable, "not_an_object", "A request is a JSON object with the fields method and path.")
    case .method:
      .error(.badRequest, "invalid_method", "The field 'method' must be there, and be a string such as \"GET\".")
    case .path:
      .error(.badRequest, "invalid_path", "The field 'path' must be there, and be a string such as \"/notes/42\".")
    case .id:
      .error(
        .badRequest, "invalid_id",
        "The field 'id' must be a string of at most \(WireLimits.idBytes) bytes, or an integer.")
    case .headers:
      .error(
        .badRequest, "invalid_headers", "The field 'headers' must be an object whose values are strings or numbers.")
    }
  }

  /// Whether the request asks for something that the original server did not know.
  private var namesDocument: Bool {
    guard let path, let resource = try? Target(path: path).resource else { return false }
    switch resource {
    case .document, .collection, .documents, .settings, .allSettings, .tokens, .token, .backups, .backup, .health,
      .ready, .access,
      .stats, .batch,
      .changes, .watch,
      .reserved:
      return true
    case .root, .echo, .list, .item, .unknown: return false
    }
  }
}
