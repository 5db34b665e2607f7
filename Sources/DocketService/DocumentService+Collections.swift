import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func readCollections(_ request: CollectionsRequest, completion: @escaping (Response) -> Void) {
    // One more tells whether there is another page.
    session.collections(
      readable: request.readable ?? .everything, after: request.after, limit: request.limit + 1
    ) { result in
      switch result {
      case .success(let collections):
        completion(Response(.ok, data: .collections(collections, limit: request.limit)))
      case .failure(let error): completion(error.response)
      }
    }
  }
}

extension ByteBuffer {
  /// `{"items": [{"collection": "/notes/", "documents": 3, "bytes": 290, "updated": "…"}…], "next": cursor or null}`
  fileprivate static func collections(_ collections: [CollectionContents], limit: Int) -> ByteBuffer {
    var text = ByteBuffer(staticString: "{\"items\": [")
    let page = collections.prefix(limit)
    for (number, contents) in page.enumerated() {
      if number > 0 { text.writeStaticString(", ") }
      text.writeStaticString("{\"collection\": ")
      text.writeJSONString(contents.collection.description)
      text.writeStaticString(", \"documents\": ")
      text.writeDecimal(contents.documents)
      text.writeStaticString(", \"bytes\": ")
      text.writeDecimal(contents.bytes)
      text.writeStaticString(", \"updated\": ")
      text.writeJSONString(contents.updated.rfc3339)
      text.writeStaticString("}")
    }
    text.writeStaticString("], \"next\": ")
    if collections.count > limit, let last = page.last {
      text.writeJSONString(CollectionsRequest.cursor(behind: last.collection))
    } else {
      text.writeStaticString("null")
    }
    text.writeStaticString("}")
    return text
  }
}
