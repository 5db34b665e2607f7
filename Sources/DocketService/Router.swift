import DocketJSON
import DocketStore
import DocketWire
import NIOCore

/// Finds what a request asks for. Every resource is named here with its methods; the compiler sees to it that none
/// is forgotten.
public struct Router: Sendable {
  private let limits: WireLimits
  private let serviceLimits: ServiceLimits

  public init(limits: WireLimits, serviceLimits: ServiceLimits = ServiceLimits()) {
    self.limits = limits
    self.serviceLimits = serviceLimits
  }

  public func operation(for request: Request) -> Operation {
    var target: Target
    do {
      target = try Target(path: request.path)
    } catch {
      return .answer(.error(.badRequest, "invalid_path", error.detail))
    }
    // Of a method that there is not nothing else is wrong.
    if request.method == .other { target.dropParameters() }
    switch target.resource {
    case .root, .echo, .list, .item, .unknown: return original(request, target)
    case .document(let path): return document(request, path, target)
    case .collection(let path): return collection(request, path, target)
    case .documents: return request.method == .get ? documents(request, target) : notAllowed(request, allowed: [.get])
    case .health: return request.method == .get ? .reportHealth : notAllowed(request, allowed: [.get])
    case .ready: return request.method == .get ? .reportReadiness : notAllowed(request, allowed: [.get])
    case .batch: return batch(request, target)
    case .changes: return changes(request, target)
    case .watch(let name):
      if let refusal = refuseParameters(target) { return refusal }
      if let refusal = refuseTerms(request, of: "Watches", "invalid_condition") { return refusal }
      return request.method == .delete ? .endWatch(name) : notAllowed(request, allowed: [.delete])
    case .access: return request.method == .get ? .reportAccess : notAllowed(request, allowed: [.get])
    case .stats: return request.method == .get ? .readStats : notAllowed(request, allowed: [.get])
    case .settings(let collection): return settings(request, collection, target)
    case .allSettings: return collections(request, target)
    case .backups: return backups(request, target)
    case .backup(let name): return backup(request, name, target)
    case .tokens: return tokens(request, target)
    case .token(let name):
      if let refusal = refuseParameters(target) ?? refuseTerms(request, of: "Tokens", "invalid_token_request") {
        return refusal
      }
      return request.method == .delete
        ? .tokens(.revoke(TokenText.nameOrID(name))) : notAllowed(request, allowed: [.delete])
    case .reserved:
      return .answer(
        .error(.notFound, "unknown_resource", "Paths under /_ are the service's own, and this one it does not have."))
    }
  }

  private func document(_ request: Request, _ path: DocumentPath, _ target: Target) -> Operation {
    var target = target
    if request.method == .get, target.parameters.contains(where: { $0.name == "watch" }) {
      if let watch = watch(.document(path), request, target) { return watch }
      // It says that nothing is to be watched.
      target.drop("watch")
    }
    if !target.parameters.isEmpty, request.method == .get || request.method == .post {
      return past(request, path, target)
    }
    if let refusal = refuseParameters(target) { return refusal }
    switch request.method {
    case .get: return onCondition(request) { .document(.readDocument(path, $0)) }
    case .put: return storing(request, as: .document) { .put(path, data: $0) }
    case .patch: return patch(request, path)
    case .delete: return writing(.delete(path), for: request, as: .document)
    case .post, .other: return notAllowed(request, allowed: [.get, .put, .patch, .delete])
    }
  }

  private func collection(_ request: Request, _ path: CollectionPath, _ target: Target) -> Operation {
    switch request.method {
    case .get:
      do {
        var parameters = try ReadParameters(target, data: request.data)
        if let watch = try WatchRequest(.documents(.collection(path)), parameters) {
          return refuseTerms(request, of: "Watches", "invalid_condition") ?? .watch(watch)
        }
        // It says that nothing is to be watched.
        parameters.drop("watch")
        guard parameters.askForPageOnly else { return .query(try QueryRequest(.collection(path), parameters)) }
        let (page, asOf) = try PageRequest.read(collection: path, parameters)
        return asOf.map { .past(.readPage(page, $0)) } ?? .document(.readPage(page))
      } catch {
        return .answer(.error(.badRequest, error.code, error.detail))
      }
    case .post:
      if let refusal = refuseParameters(target) { return refusal }
      return storing(request, as: .document) { .create(in: path, data: $0) }
    case .put, .patch, .delete, .other:
      return notAllowed(
        request, allowed: [.get, .post], what: "A path that ends in '/' is a collection, and has the methods",
        hint: "; a document of it has an id behind the '/'")
    }
  }

  private func changes(_ request: Request, _ target: Target) -> Operation {
    guard request.method == .get else { return notAllowed(request, allowed: [.get]) }
    if let watch = watch(.documents(.everything), request, target) { return watch }
    do {
      var parameters = try ReadParameters(target, data: request.data)
      parameters.drop("watch")
      return .readChanges(try ChangesRequest(parameters))
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  /// nil where nothing is to be watched.
  private func watch(_ scope: WatchRequest.Scope, _ request: Request, _ target: Target) -> Operation? {
    do {
      guard let watch = try WatchRequest(scope, try ReadParameters(target, data: request.data)) else { return nil }
      return refuseTerms(request, of: "Watches", "invalid_condition") ?? .watch(watch)
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  private func settings(_ request: Request, _ collection: CollectionPath, _ target: Target) -> Operation {
    if let refusal = refuseParameters(target) { return refusal }
    if let refusal = refuseTerms(request, of: "Settings", "invalid_settings") { return refusal }
    switch request.method {
    case .get: return .settings(.read(collection))
    case .put:
      do throws(ParameterError) {
        return .settings(.change(collection, try CollectionSettings(request: request.data)))
      } catch {
        return .answer(.error(.badRequest, error.code, error.detail))
      }
    case .delete: return .settings(.change(collection, nil))
    case .post, .patch, .other: return notAllowed(request, allowed: [.get, .put, .delete])
    }
  }

  /// What is set for all, or what they hold.
  private func collections(_ request: Request, _ target: Target) -> Operation {
    guard request.method == .get else { return notAllowed(request, allowed: [.get]) }
    do {
      let contents = try CollectionsRequest(try ReadParameters(target, data: request.data))
      return contents.map { .readCollections($0) } ?? .settings(.readAll)
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  private func backups(_ request: Request, _ target: Target) -> Operation {
    if let refusal = refuseParameters(target) ?? refuseTerms(request, of: "Backups", "invalid_backup") {
      return refusal
    }
    switch request.method {
    case .get: return .backups(.readAll)
    case .post:
      do {
        return .backups(try .make(request: request.data))
      } catch {
        return .answer(.error(.badRequest, error.code, error.detail))
      }
    case .put, .patch, .delete, .other: return notAllowed(request, allowed: [.get, .post])
    }
  }

  private func backup(_ request: Request, _ text: String, _ target: Target) -> Operation {
    if let refusal = refuseTerms(request, of: "Backups", "invalid_backup") { return refusal }
    do {
      let name = try BackupOperation.name(text)
      switch request.method {
      case .get: return .backups(.readPiece(name, offset: try BackupOperation.offset(target.parameters)))
      case .delete: return refuseParameters(target) ?? .backups(.remove(name))
      case .post, .put, .patch, .other: return notAllowed(request, allowed: [.get, .delete])
      }
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  private func tokens(_ request: Request, _ target: Target) -> Operation {
    if let refusal = refuseTerms(request, of: "Tokens", "invalid_token_request") { return refusal }
    switch request.method {
    case .get:
      do throws(ParameterError) {
        return .tokens(.readPage(try TokenPageRequest(try ReadParameters(target, data: request.data))))
      } catch {
        return .answer(.error(.badRequest, error.code, error.detail))
      }
    case .post:
      if let refusal = refuseParameters(target) { return refusal }
      // Its answer would be kept in the file, and the secret with it.
      guard request.headers?["Idempotency-Key"] == nil else {
        return .answer(
          .error(.badRequest, "invalid_token_request", "A token is not made under an Idempotency-Key; leave it out."))
      }
      do {
        return .tokens(.create(try TokenRequest(request: request.data)))
      } catch {
        return .answer(.error(.badRequest, "invalid_token_request", "\(error)."))
      }
    case .put, .patch, .delete, .other: return notAllowed(request, allowed: [.get, .post])
    }
  }

  /// Settings are changed as they are asked to be, and watches begin and end: what says otherwise must not be passed over. A key changes nothing, since
  /// the same change made twice is the same.
  private func refuseTerms(_ request: Request, of what: String, _ code: String) -> Operation? {
    do throws(ParameterError) {
      let terms = try WriteTerms(request.headers)
      guard terms.condition == nil, !terms.isDryRun, terms.lifetime == nil else {
        throw ParameterError(
          code: code,
          detail: "\(what) take no If-Match, If-None-Match, Expires-In or Prefer: dry-run; leave them out.")
      }
      return nil
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  private func documents(_ request: Request, _ target: Target) -> Operation {
    do {
      return .query(try QueryRequest(.everything, try ReadParameters(target, data: request.data)))
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  /// A document as it was, its versions, or its restoration: what the parameters behind the `?` ask for.
  private func past(_ request: Request, _ path: DocumentPath, _ target: Target) -> Operation {
    do throws(ParameterError) {
      let first = target.parameters[0]
      switch (request.method, first.name) {
      case (.get, "asOf") where target.parameters.count == 1:
        let asOf = try AsOf(first.value, parameter: first.name)
        return .past(.readDocument(path, asOf, try Condition.read(request.headers)))
      case (.get, _) where target.parameters.contains { $0.name == "history" }:
        return .past(.readVersions(try VersionsRequest(path: path, target.parameters)))
      case (.post, "restore") where target.parameters.count == 1:
        let asOf = try AsOf(first.value, parameter: first.name)
        let terms = try WriteTerms(request.headers)
        let key = try IdempotencyKey(request)
        return .past(.restore(path, asOf, terms, terms.isDryRun ? nil : key, answeredAs: .document))
      case (.get, _):
        throw ParameterError(
          code: "unknown_parameter",
          detail:
            "A document is read with asOf=REVISION, or with history=true and then limit and after; or with none of them."
        )
      default:
        throw ParameterError(
          code: "unknown_parameter", detail: "POST to a document takes the one parameter restore=REVISION.")
      }
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  private func patch(_ request: Request, _ path: DocumentPath) -> Operation {
    switch request.data?.readableBytesView.first {
    case UInt8(ascii: "{"):
      return storing(request, as: .document) { .mergePatch(path, patch: $0) }
    case UInt8(ascii: "["):
      do throws(JSONPatchError) {
        let patch = try JSONPatch(request.data ?? ByteBuffer())
        return storing(request, as: .document) { _ in .jsonPatch(path, patch) }
      } catch {
        return .answer(error.response)
      }
    default:
      return .answer(
        .error(
          .unprocessable, "invalid_patch",
          "The data of PATCH must be an object, a JSON Merge Patch (RFC 7396) whose fields replace those of the document, or an array, a JSON Patch (RFC 6902)."
        ))
    }
  }

  private func batch(_ request: Request, _ target: Target) -> Operation {
    if let refusal = refuseParameters(target) { return refusal }
    guard request.method == .post else { return notAllowed(request, allowed: [.post]) }
    do throws(BatchRefusal) {
      return .batch(
        try Batch(request, limits: serviceLimits, depth: limits.depth) { operation(for: $0) })
    } catch {
      return .answer(error.response)
    }
  }

  /// A write of the request's data, unless that is over the limit. Data that is absent is null.
  func storing(
    _ request: Request, as form: WriteForm, _ action: (ByteBuffer) -> Write.Action
  ) -> Operation {
    let data = request.data ?? ByteBuffer(staticString: "null")
    guard data.readableBytes <= limits.documentBytes else {
      return .answer(StoreError.documentTooLarge(limit: limits.documentBytes).response(form))
    }
    return writing(action(data), for: request, as: form)
  }

  /// A write on the terms that the request's headers set, unless they do not fit.
  func writing(_ action: Write.Action, for request: Request, as form: WriteForm) -> Operation {
    do throws(ParameterError) {
      let terms = try WriteTerms(request.headers)
      if let misfit = action.misfit(of: terms) { throw misfit }
      let write = Write(action, terms: terms)
      // Also where nothing is done, so that a trial tells of a key that is none.
      let key = try IdempotencyKey(request)
      if !terms.isDryRun, let key { return .once(key, write, answeredAs: form) }
      return .document(.write(write, answeredAs: form))
    } catch {
      return .answer(form == .original ? Response(.badRequest) : .error(.badRequest, error.code, error.detail))
    }
  }

  private func onCondition(_ request: Request, _ read: (Condition?) -> Operation) -> Operation {
    do throws(ParameterError) {
      return read(try Condition.read(request.headers))
    } catch {
      return .answer(.error(.badRequest, error.code, error.detail))
    }
  }

  private func refuseParameters(_ target: Target) -> Operation? {
    guard let parameter = target.parameters.first else { return nil }
    return .answer(
      .error(.badRequest, "unknown_parameter", "This request takes no parameter '\(parameter.name)' behind the '?'."))
  }

  private func notAllowed(
    _ request: Request, allowed: [Method], what: String = "This path has the methods", hint: String = ""
  ) -> Operation {
    let names = allowed.map(\.rawValue).joined(separator: ", ")
    var response = Response.error(
      .methodNotAllowed, "method_not_allowed", "\(what) \(names), in capital letters\(hint).")
    response.headers.append("Allow", names)
    return .answer(response)
  }
}

extension Write.Action {
  /// What of the terms makes no sense for this action.
  fileprivate func misfit(of terms: WriteTerms) -> ParameterError? {
    if terms.condition != nil, document == nil {
      return Condition.invalid(
        "If-Match and If-None-Match speak of one document; POST makes a new one. PUT with If-None-Match: * creates under a path of yours, once."
      )
    }
    switch self {
    case .create, .put, .mergePatch, .jsonPatch, .replaceFirst: return nil
    case .delete, .deleteFirst:
      guard terms.lifetime != nil else { return nil }
      return ParameterError(
        code: "invalid_expiry", detail: "Expires-In goes with a write that stores something; DELETE leaves nothing.")
    }
  }
}
