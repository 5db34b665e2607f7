import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func perform(_ operation: BackupOperation, completion: @escaping (Response) -> Void) {
    switch operation {
    case .make(let name, let acceptsFaults):
      session.makeBackup(named: name, acceptingFaults: acceptsFaults) { result in
        switch result {
        case .success(let backup): completion(Response(.created, data: .backup(backup)))
        case .failure(let error): completion(error.response)
        }
      }
    case .readAll:
      session.backups { result in
        switch result {
        case .success(let list): completion(Response(.ok, data: .backups(list)))
        case .failure(let error): completion(error.response)
        }
      }
    case .readPiece(let name, let offset):
      session.readBackup(name, from: offset) { result in
        switch result {
        case .success(let piece?): completion(Response(.ok, data: .piece(piece, of: name, at: offset)))
        case .success(nil): completion(.noBackup(name))
        case .failure(let error): completion(error.response)
        }
      }
    case .remove(let name):
      session.removeBackup(name) { result in
        switch result {
        case .success(let existed): completion(existed ? Response(.noContent) : .noBackup(name))
        case .failure(let error): completion(error.response)
        }
      }
    }
  }
}

extension Response {
  fileprivate static func noBackup(_ name: BackupName) -> Response {
    .error(.notFound, "no_backup", "There is no backup '\(name.text)'; GET /_backups/ names those that there are.")
  }
}

extension ByteBuffer {
  fileprivate static func backup(_ backup: NewBackup) -> ByteBuffer {
    var json = ByteBuffer()
    json.writeBackup(backup.file)
    json.writeStaticString(", \"revision\": ")
    json.writeDecimal(backup.revision.rawValue)
    json.writeStaticString(", \"history\": ")
    json.writeJSONString(backup.history)
    json.writeStaticString(", \"faults\": ")
    json.writeDecimal(backup.faults)
    json.writeStaticString("}")
    return json
  }

  fileprivate static func backups(_ list: BackupList) -> ByteBuffer {
    var json = ByteBuffer(staticString: "{\"items\": [")
    for (number, backup) in list.items.enumerated() {
      if number > 0 { json.writeStaticString(", ") }
      json.writeBackup(backup)
      json.writeStaticString("}")
    }
    json.writeStaticString("], \"running\": ")
    if let running = list.running {
      json.writeStaticString("{\"name\": ")
      json.writeJSONString(running.name)
      json.writeStaticString(", \"percent\": ")
      if let percent = running.percent { json.writeDecimal(percent) } else { json.writeStaticString("null") }
      json.writeStaticString("}")
    } else {
      json.writeStaticString("null")
    }
    json.writeStaticString(", \"fetching\": ")
    if let copy = list.fetching {
      json.writeBackup(copy)
      json.writeStaticString("}")
    } else {
      json.writeStaticString("null")
    }
    json.writeStaticString("}")
    return json
  }

  fileprivate static func piece(_ piece: BackupPiece, of name: BackupName, at offset: Int64) -> ByteBuffer {
    var json = ByteBuffer(staticString: "{\"name\": ")
    json.writeJSONString(name.text)
    json.writeStaticString(", \"offset\": ")
    json.writeDecimal(offset)
    json.writeStaticString(", \"bytes\": ")
    json.writeDecimal(piece.total)
    json.writeStaticString(", \"data\": \"")
    json.writeBase64(piece.bytes)
    json.writeStaticString("\", \"next\": ")
    let next = offset + Int64(piece.bytes.readableBytes)
    if piece.bytes.readableBytes > 0, next < piece.total {
      json.writeDecimal(next)
    } else {
      json.writeStaticString("null")
    }
    json.writeStaticString("}")
    return json
  }

  /// Its brace left open.
  private mutating func writeBackup(_ backup: StoredBackup) {
    writeStaticString("{\"name\": ")
    writeJSONString(backup.name)
    writeStaticString(", \"bytes\": ")
    writeDecimal(backup.bytes)
    writeStaticString(", \"createdAt\": ")
    writeJSONString(backup.created.rfc3339)
  }

  /// With the common alphabet, and padded (RFC 4648, section 4).
  private mutating func writeBase64(_ bytes: ByteBuffer) {
    let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    let letters = UnsafeBufferPointer(start: alphabet.utf8Start, count: alphabet.utf8CodeUnitCount)
    _ = bytes.withUnsafeReadableBytes { bytes in
      writeWithUnsafeMutableBytes(minimumWritableBytes: (bytes.count + 2) / 3 * 4) { text in
        var end = 0
        for start in stride(from: 0, to: bytes.count, by: 3) {
          let count = min(3, bytes.count - start)
          var bits = UInt32(bytes[start]) << 16
          if count > 1 { bits |= UInt32(bytes[start + 1]) << 8 }
          if count > 2 { bits |= UInt32(bytes[start + 2]) }
          for place in 0..<4 {
            text[end] = place <= count ? letters[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "=")
            end += 1
          }
        }
        return end
      }
    }
  }
}
