package org.json

class JSONException(message: String) : Exception(message)

class JSONArray {
    val values = ArrayList<Any?>()

    fun put(value: Any?): JSONArray = apply { values.add(value) }

    override fun toString() = values.joinToString(",", "[", "]") { text(it) }
}

/** As much of Android's class as the guide calls, with its order of members and its null. */
class JSONObject() {
    private val members = LinkedHashMap<String, Any?>()

    constructor(text: String) : this() {
        members.putAll(Reader(text).whole().members)
    }

    constructor(map: Map<*, *>) : this() {
        for ((name, value) in map) members[name.toString()] = value
    }

    fun put(name: String, value: Any?): JSONObject = apply {
        if (value == null) members.remove(name) else members[name] = value
    }

    fun isNull(name: String) = members[name].let { it == null || it === NULL }

    fun length() = members.size

    fun keys(): Iterator<String> = members.keys.iterator()

    fun optString(name: String) = members[name]?.toString() ?: ""

    fun optLong(name: String) = (members[name] as? Number)?.toLong() ?: 0L

    fun getString(name: String) = members[name] as? String ?: throw absent(name)

    fun getBoolean(name: String) = members[name] as? Boolean ?: throw absent(name)

    fun getLong(name: String) = (members[name] as? Number)?.toLong() ?: throw absent(name)

    fun getJSONObject(name: String) = members[name] as? JSONObject ?: throw absent(name)

    private fun absent(name: String) = JSONException("No value for $name")

    override fun toString() =
        members.entries.joinToString(",", "{", "}") { "${text(it.key)}:${text(it.value)}" }

    companion object {
        @JvmField
        val NULL = object : Any() {
            override fun toString() = "null"
        }
    }
}

private fun text(value: Any?): String = when (value) {
    is String -> value.map { escaped(it) }.joinToString("", "\"", "\"")
    else -> value.toString()
}

private fun escaped(character: Char): String = when {
    character == '"' || character == '\\' -> "\\$character"
    character < ' ' -> "\\u%04x".format(character.toInt())
    else -> character.toString()
}

private class Reader(private val text: String) {
    private var at = 0

    fun whole(): JSONObject = value() as? JSONObject ?: throw JSONException("not an object")

    private fun value(): Any? {
        skipSpace()
        return when (peek()) {
            '{' -> readObject()
            '[' -> readArray()
            '"' -> readString()
            else -> readWord()
        }
    }

    private fun readObject() = JSONObject().also {
        readAll('}') {
            skipSpace()
            val name = readString()
            expect(':')
            it.put(name, value())
        }
    }

    private fun readArray() = JSONArray().also { readAll(']') { it.put(value()) } }

    private fun readAll(end: Char, readOne: () -> Unit) {
        at += 1
        skipSpace()
        if (peek() == end) {
            at += 1
            return
        }
        while (true) {
            readOne()
            skipSpace()
            val next = peek()
            at += 1
            if (next == end) return
            if (next != ',') throw JSONException("unexpected $next")
        }
    }

    private fun readString(): String {
        expect('"')
        val result = StringBuilder()
        while (peek() != '"') result.append(if (peek() == '\\') readEscape() else text[at++])
        at += 1
        return result.toString()
    }

    private fun readEscape(): Char {
        at += 2
        return when (val kind = text[at - 1]) {
            'n' -> '\n'
            't' -> '\t'
            'r' -> '\r'
            'b' -> '\b'
            'f' -> '\u000c'
            'u' -> text.substring(at, at + 4).toInt(16).toChar().also { at += 4 }
            else -> kind
        }
    }

    private fun readWord(): Any {
        val word = text.substring(at).takeWhile { it.isLetterOrDigit() || it in "+-." }
        at += word.length
        return when (word) {
            "true" -> true
            "false" -> false
            "null" -> JSONObject.NULL
            else -> word.toLongOrNull() ?: word.toDoubleOrNull() ?: throw JSONException(word)
        }
    }

    private fun expect(character: Char) {
        skipSpace()
        if (peek() != character) throw JSONException("no $character at $at")
        at += 1
    }

    private fun skipSpace() {
        while (at < text.length && text[at].isWhitespace()) at += 1
    }

    private fun peek(): Char =
        if (at < text.length) text[at] else throw JSONException("ends at $at")
}
