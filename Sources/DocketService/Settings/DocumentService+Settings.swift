import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func perform(_ operation: SettingsOperation, completion: @escaping (Response) -> Void) {
    switch operation {
    case .read(let collection):
      session.settings(of: collection) { result in
        switch result {
        case .success(let settings?): completion(Response(.ok, data: .settings(settings, of: collection)))
        case .success(nil): completion(.nothingSet)
        case .failure(let error): completion(error.response)
        }
      }
    case .readAll:
      session.allSettings { result in
        completion(result.map { Response(.ok, data: .settings($0)) }.unwrapped)
      }
    case .change(let collection, let settings):
      session.change(collection, to: settings) { result in
        switch result {
        case .success(let change):
          guard let settings else { return completion(change.existed ? Response(.noContent) : .nothingSet) }
          completion(
            Response(
              change.existed ? .ok : .created, data: .settings(settings, of: collection, indexesInAll: change.indexes)))
        case .failure(let error): completion(error.response)
        }
      }
    }
  }
}

extension Result where Success == Response, Failure == StoreError {
  fileprivate var unwrapped: Response {
    switch self {
    case .success(let response): response
    case .failure(let error): error.response
    }
  }
}

extension Response {
  fileprivate static var nothingSet: Response {
    .error(.notFound, "not_found", "Nothing is set for this collection.")
  }
}

extension ByteBuffer {
  /// `{"collection": "/notes/", "settings": {"indexes": […]}}`, after a change with `"indexesInAll": 3` as well.
  fileprivate static func settings(
    _ settings: CollectionSettings, of collection: CollectionPath, indexesInAll: Int? = nil
  ) -> ByteBuffer {
    var text = ByteBuffer(staticString: "{\"collection\": ")
    text.writeJSONString(collection.description)
    text.writeStaticString(", \"settings\": ")
    text.writeString(settings.json)
    if let indexesInAll {
      text.writeStaticString(", \"indexesInAll\": ")
      text.writeDecimal(indexesInAll)
    }
    text.writeStaticString("}")
    return text
  }

  /// `{"items": […]}`
  fileprivate static func settings(_ all: [NamedSettings]) -> ByteBuffer {
    var text = ByteBuffer(staticString: "{\"items\": [")
    for (number, named) in all.enumerated() {
      if number > 0 { text.writeStaticString(", ") }
      text.writeImmutableBuffer(.settings(named.settings, of: named.collection))
    }
    text.writeStaticString("]}")
    return text
  }
}
