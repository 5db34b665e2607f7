import DocketStore
import DocketWire
import NIOCore

/// Finds what a request asks for. Every resource is named here with its methods; the compiler sees to it that none
/// is forgotten.
public struct Router: Sendable {
  private let limits: WireLimits

  public init(limits: WireLimits) {
    self.limits = limits
  }

  public func operation(for request: Request) -> Operation {
    let target: Target
    do {
      target = try Target(path: request.path)
    } catch {
      return .answer(.error(.badRequest, "invalid_path", error.detail))
    }
    switch target.resource {
    case .root, .echo, .list, .item, .unknown: return original(request, target)
    case .document(let path): return document(request, path, target)
    case .collection(let path): return collection(request, path, target)
    case .health: return health(request)
    case .stats: return request.method == .get ? .readStats : notAllowed(request, allowed: [.get])
    case .reserved:
      return .answer(
        .error(.notFound, "unknown_resource", "Paths under /_ are the service's own, and this one it does not have."))
    }
  }

  private func document(_ request: Request, _ path: DocumentPath, _ target: Target) -> Operation {
    if let refusal = refuseParameters(target) { return refusal }
    switch request.method {
    case .get: return .readDocument(path)
    case .put: return storing(request, as: .document) { .put(path, data: $0) }
    case .patch: return patch(request, path)
    case .delete: return .write(.delete(path), answeredAs: .document)
    case .post, .other: return notAllowed(request, allowed: [.get, .put, .patch, .delete])
    }
  }

  private func collection(_ request: Request, _ path: CollectionPath, _ target: Target) -> Operation {
    switch request.method {
    case .get:
      do {
        return .readPage(try PageRequest(collection: path, target: target, data: request.data))
      } catch {
        return .answer(.error(.badRequest, error.code, error.detail))
      }
    case .post:
      if let refusal = refuseParameters(target) { return refusal }
      return storing(request, as: .document) { .create(in: path, data: $0) }
    case .put, .patch, .delete, .other: return notAllowed(request, allowed: [.get, .post])
    }
  }

  private func patch(_ request: Request, _ path: DocumentPath) -> Operation {
    guard let data = request.data, data.readableBytesView.first == UInt8(ascii: "{") else {
      return .answer(
        .error(
          .unprocessable, "invalid_patch",
          "The data of PATCH must be an object: a JSON Merge Patch (RFC 7396), whose fields replace those of the document."
        ))
    }
    return .write(.mergePatch(path, patch: data), answeredAs: .document)
  }

  private func health(_ request: Request) -> Operation {
    guard request.method == .get else { return notAllowed(request, allowed: [.get]) }
    return .answer(Response(.ok, data: ByteBuffer(staticString: #"{"status": "ok"}"#)))
  }

  /// A write of the request's data, unless that is over the limit. Data that is absent is null.
  func storing(_ request: Request, as form: Operation.WriteForm, _ write: (ByteBuffer) -> Write) -> Operation {
    let data = request.data ?? ByteBuffer(staticString: "null")
    guard data.readableBytes <= limits.documentBytes else {
      return .answer(StoreError.documentTooLarge(limit: limits.documentBytes).response(form))
    }
    return .write(write(data), answeredAs: form)
  }

  private func refuseParameters(_ target: Target) -> Operation? {
    guard let parameter = target.parameters.first else { return nil }
    return .answer(
      .error(.badRequest, "unknown_parameter", "This request takes no parameter '\(parameter.name)' behind the '?'."))
  }

  private func notAllowed(_ request: Request, allowed: [Method]) -> Operation {
    let names = allowed.map(\.rawValue).joined(separator: ", ")
    var response = Response.error(
      .methodNotAllowed, "method_not_allowed", "This path has the methods \(names), in capital letters.")
    response.headers.append("Allow", names)
    return .answer(response)
  }
}
