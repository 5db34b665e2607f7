import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func readStats(completion: @escaping (Response) -> Void) {
    session.status { [watchHub] result in
      switch result {
      case .success(let status):
        completion(Response(.ok, data: Self.text(of: status, watches: watchHub?.watches ?? 0)))
      case .failure(let error): completion(error.response)
      }
    }
  }

  private static func text(of status: StoreStatus, watches: Int) -> ByteBuffer {
    var text = ByteBuffer(staticString: "{\"history\": ")
    text.writeJSONString(status.historyID)
    text.writeStaticString(", \"revision\": ")
    text.writeDecimal(status.revision.rawValue)
    text.writeStaticString(", \"oldestRevision\": ")
    text.writeDecimal(status.oldestRevision.rawValue)
    text.writeStaticString(", \"fileBytes\": ")
    text.writeDecimal(status.fileBytes)
    text.writeStaticString(", \"engine\": ")
    text.writeJSONString(status.engine)
    text.writeStaticString(", \"watches\": ")
    text.writeDecimal(watches)
    if let build = status.build {
      text.writeStaticString(", \"making\": {\"name\": ")
      text.writeJSONString(build.name)
      text.writeStaticString(", \"percent\": ")
      text.writeDecimal(build.percent)
      text.writeStaticString("}")
    }
    text.writeStaticString("}")
    return text
  }
}
