import DocketStore
import NIOCore

/// What is unique in collections.
extension DocumentModel {
  mutating func change(
    _ collection: CollectionPath, to wanted: CollectionSettings?, now: Timestamp
  ) -> Result<SettingsChange, StoreError> {
    let documents = documents(in: collection, now: now)
    for fields in wanted?.unique ?? [] {
      for (number, document) in documents.enumerated() {
        let other = documents[..<number].first { fields.areSame(in: $0.data, and: document.data) }
        if let other {
          let (first, second) = (other.path.id, document.path.id)
          return .failure(.notUnique(collection, fields: fields.names, first: first, second: second))
        }
      }
    }
    let existed = settings[collection] != nil
    settings[collection] = wanted
    return .success(
      SettingsChange(existed: existed, indexes: settings.values.reduce(0) { $0 + $1.indexCount }))
  }

  /// Ends what has expired and has the same values; an error if a live document has.
  mutating func duplicate(of data: ByteBuffer, at path: DocumentPath, now: Timestamp) -> StoreError? {
    for fields in settings[path.collection]?.unique ?? [] {
      let same = documents(in: path.collection).filter {
        $0.path != path && fields.areSame(in: $0.data, and: data)
      }
      for other in same where document(at: other.path, now: now) == nil { expire(other, now: now) }
      if let live = same.first(where: { document(at: $0.path, now: now) != nil }) {
        return .duplicate(of: live.path, fields: fields.names)
      }
    }
    return nil
  }
}

extension CollectionIndex {
  fileprivate func areSame(in a: ByteBuffer, and b: ByteBuffer) -> Bool {
    keys.allSatisfy { key in
      let (a, b) = (key.path.value(inText: a), key.path.value(inText: b))
      return (2...5).contains(a.rank) && a.isSame(as: b)
    }
  }
}

extension FieldPath {
  fileprivate func value(inText text: ByteBuffer) -> QueryValue { text.withUnsafeReadableBytes { value(in: $0) } }
}
