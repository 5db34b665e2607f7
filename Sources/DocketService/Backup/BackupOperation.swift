import DocketStore
import DocketWire
import NIOCore

/// What can be done with backups.
public enum BackupOperation: Sendable {
  /// nil: a copy that is only to be fetched.
  case make(BackupName?)
  case readAll
  case readPiece(BackupName, offset: Int64)
  case remove(BackupName)
}

extension BackupOperation {
  /// Reads `{"name": "monday.db"}`, or `{}`.
  static func make(request data: ByteBuffer?) throws(ParameterError) -> BackupOperation {
    let shape = ParameterError(
      code: "invalid_backup",
      detail: #"A backup is asked for with {"name": "monday.db"}, or with {} where it is only to be fetched."#)
    guard let members = (data ?? ByteBuffer(staticString: "{}")).jsonMembers else { throw shape }
    var name: BackupName?
    for (member, value) in members {
      guard member == "name", value.isJSONString, let text = value.jsonText else { throw shape }
      name = try Self.name(text)
    }
    return .make(name)
  }

  static func name(_ text: String) throws(ParameterError) -> BackupName {
    guard let name = BackupName(text) else {
      throw ParameterError(
        code: "invalid_backup",
        detail:
          "A backup's name has 1 to \(BackupName.maximumBytes) characters, each a letter of ASCII, a digit, or one of . _ - with no point in front."
      )
    }
    return name
  }

  static func offset(_ parameters: [Target.Parameter]) throws(ParameterError) -> Int64 {
    var offset: Int64 = 0
    for parameter in parameters {
      guard parameter.name == "offset" else {
        throw ParameterError(
          code: "unknown_parameter",
          detail: "A backup is read with 'offset'; there is no '\(parameter.name.shortened)'.")
      }
      guard !parameter.value.isEmpty, parameter.value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = Int64(parameter.value)
      else {
        throw ParameterError(code: "invalid_backup", detail: "'offset' must be a whole number of bytes.")
      }
      offset = number
    }
    return offset
  }
}
